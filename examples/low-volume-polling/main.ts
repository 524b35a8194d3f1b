/**
 * Takes the roots of numbers that are rarely there. What will be seen: roots as they drip through, first those that have waited
 * on the servers, then one now and then; at the end, what each source was asked, what went where, and what the program did while
 * nothing came. See README.md; the stages are in pipeline.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createRuntime, defaultRuntime, start } from '@genstage/core'
import type { Logger } from '@genstage/core'
import { parseOptions, runProgram, stoppedByCtrlC } from '../shared/command-line.ts'
import { grouped } from '../shared/layout.ts'
import { showProgress } from '../shared/progress.ts'
import { countingClock, measureIdle } from './idle.ts'
import { Desk, takingRoots } from './pipeline.ts'
import { asJson, asText, rootLine } from './report.ts'
import { observe, Pictures } from './watch.ts'
import { startWorld } from './world.ts'

const usage = `Takes the roots of numbers that are rarely there.

usage: npm run example -- low-volume-polling [options]

  --seconds N   how long to run (default 6)
  --every MS    how long to wait when a source has nothing (default 250)
  --rows N      how many old numbers are in the table (default 10)
  --by-hand N   how many numbers come in at the desk, all at once (default 5)
  --failures P  the probability that a server fails to answer, from 0 to 0.5 (default 0.05)
  --seed N      other numbers, other failures (default 1)
  --json        print the result as JSON, alone
  -h, --help    print this

In the last third of the time no numbers come, and nothing fails. Ctrl-C ends it sooner: what has been fetched is finished.
`

/** Failures of the servers are expected, and what follows from them: only the rest is written, to the standard error. */
const expected = new Set(['child_failed', 'restarting', 'resubscribing', 'stage_failed', 'noproc'])
const logger: Logger = {
  debug() {},
  info() {},
  warn: (text, fields) => expected.has(String(fields?.['code'])) || console.warn(text),
  error: (text, fields) => expected.has(String(fields?.['code'])) || console.error(text),
}

await runProgram('low-volume-polling', async () => {
  const numbers = {
    seconds: { default: 6, from: 1, to: 3_600, fraction: true },
    every: { default: 250, from: 10, to: 60_000 },
    rows: { default: 10, from: 0, to: 1_000_000 },
    'by-hand': { default: 5, from: 0, to: 100 },
    failures: { default: 0.05, from: 0, to: 0.5, fraction: true },
    seed: { default: 1, from: 0, to: 2 ** 32 - 1 },
  }
  const options = parseOptions(process.argv.slice(2), numbers, ['json', 'help'])
  if (options.help) return void process.stdout.write(usage)
  const ms = options.seconds * 1_000
  const started = performance.now()
  const elapsed = () => performance.now() - started

  const stopping = stoppedByCtrlC()
  const pause = (time: number) => sleep(time, undefined, { signal: stopping.signal }).catch(() => {})
  await using world = await startWorld({ ...options, untilMs: (ms * 2) / 3 }, root => {
    if (options.json) return
    // The line of progress makes room; it comes again by itself.
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    process.stdout.write(`${rootLine(root, elapsed())}\n`)
  })
  const clock = countingClock(defaultRuntime.clock)
  await using runtime = createRuntime({ clock, logger })
  const observed = observe(runtime)
  const pictures = new Pictures(runtime)

  const root = start(takingRoots(world.outside, { everyMs: options.every }), { runtime, name: 'root' })
  void root.exited.then(() => stopping.abort())
  const polls = () => Object.values(world.polls).reduce((sum, { calls }) => sum + calls, 0)
  const hideProgress = showProgress(process.stderr, () => ({
    share: elapsed() / ms,
    text: `${(elapsed() / 1_000).toFixed(1)} s, ${grouped(polls())} polls, ${grouped(world.shown.length)} roots`,
  }))
  const camera = setInterval(() => pictures.take(), ms / 100)

  await pause(ms / 3)
  const count = stopping.signal.aborted ? 0 : options['by-hand']
  const byHand = Array.from({ length: count }, (_, n) => ({ id: `desk-${n + 1}`, number: (n + 1) ** 2 }))
  runtime.whereis(Desk)?.cast(byHand)
  await pause(ms / 2)
  clearInterval(camera)
  const idleSince = measureIdle(() => ({ polls: polls(), timers: clock.fired, numbers: world.shown.length }))
  await pause(ms / 6)
  const interrupted = stopping.signal.aborted
  const idle = interrupted ? undefined : idleSince()
  const { flows, bottleneck } = pictures
  hideProgress()

  const reason = await root.stop('shutdown', { drain: true })
  // It gave up, and says why.
  if (reason.type === 'shutdown' && reason.detail instanceof Error) throw reason.detail

  const results = {
    polls: world.polls,
    byHand: count,
    shown: world.shown,
    written: (await world.lines()).length,
    api: world.api,
    observed,
    idle,
    bottleneck,
    flows,
    ms: elapsed(),
    interrupted,
  }
  process.stdout.write(options.json ? `${asJson(results)}\n` : `\n${asText(results, process.stdout.columns || 80)}`)
  if (interrupted) process.exitCode = 130
})
