/**
 * Books payments with stages that crash at random. What will be seen: a bar of progress (in a terminal), then that the table is
 * complete nevertheless, how often which stage was started again, and what had to be brought again. See README.md; the tree of
 * stages is in pipeline.ts.
 */
import { createRuntime, start, stopOnSignals } from '@genstage/core'
import type { Logger } from '@genstage/core'
import { parseOptions, runProgram } from '../shared/command-line.ts'
import { grouped } from '../shared/layout.ts'
import { showProgress } from '../shared/progress.ts'
import { Accidents } from './accidents.ts'
import { Bank } from './bank.ts'
import { payingIn } from './pipeline.ts'
import { asJson, asText } from './report.ts'
import { watch } from './watch.ts'

const usage = `Books payments with stages that crash at random.

usage: npm run example -- supervised-pipeline [options]

  --payments N     how many (default 10000)
  --crashes P      the probability of a crash in each step, from 0 to 0.5 (default 0.05)
  --seed N         other accidents (default 1)
  --no-redeliver   what a crashed stage had in hand is not given back: the bank has to bring it again
  --json           print the result as JSON, alone
  -h, --help       print this

Ctrl-C stops the stages in order; payments that are not booked stay open. A second one kills.
`

/** Crashes are what this is about, and there are many: only what is not expected is written, to the standard error. */
const expected = new Set(['child_failed', 'restarting', 'resubscribing', 'stage_failed', 'stopping_on_cancel', 'noproc'])
const logger: Logger = {
  debug() {},
  info() {},
  warn: (text, fields) => expected.has(String(fields?.['code'])) || console.warn(text),
  error: (text, fields) => expected.has(String(fields?.['code'])) || console.error(text),
}

await runProgram('supervised-pipeline', async () => {
  const numbers = {
    payments: { default: 10_000, from: 0, to: 10_000_000 },
    crashes: { default: 0.05, from: 0, to: 0.5, fraction: true },
    seed: { default: 1, from: 0, to: 2 ** 32 - 1 },
  }
  const options = parseOptions(process.argv.slice(2), numbers, ['no-redeliver', 'json', 'help'])
  if (options.help) return void process.stdout.write(usage)

  const bank = new Bank(options.payments)
  const accidents = new Accidents(options.crashes, options.seed)
  await using runtime = createRuntime({ logger })
  const observed = watch(runtime)

  const started = performance.now()
  const root = start(payingIn({ bank, accidents }, { redeliver: !options['no-redeliver'] }), { runtime, name: 'root' })
  // No drain: what is on the way and not booked stays open in the bank.
  stopOnSignals(root)
  // Stages that wait for each other, or for a timer, keep no process alive.
  const alive = runtime.keepAlive()
  const hideProgress = showProgress(process.stderr, () => ({
    share: bank.booked / bank.payments,
    text: `${grouped(bank.booked)} of ${grouped(bank.payments)} payments, ${grouped(accidents.count)} crashes`,
  }))
  const ended = await Promise.race([bank.complete, root.exited])
  hideProgress()
  alive[Symbol.dispose]()
  // Not by a signal: it gave up, and says why.
  if (ended?.type === 'shutdown' && ended.detail instanceof Error) throw ended.detail

  const results = { bank, crashes: accidents.count, observed, ms: performance.now() - started, interrupted: ended !== undefined }
  process.stdout.write(options.json ? `${asJson(results)}\n` : asText(results, process.stdout.columns || 80))
  if (results.interrupted) process.exitCode = 130
})
