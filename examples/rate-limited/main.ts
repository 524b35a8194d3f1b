/**
 * Asks a service for the weather of many places, as fast as it allows. What will be seen: a bar of progress (in a terminal), then
 * how many requests the service has seen in which time, and how many were too many. See README.md; the stages are in pipeline.ts.
 */
import { createRuntime } from '@genstage/core'
import type { Logger } from '@genstage/core'
import { parseOptions, runProgram, stoppedByCtrlC } from '../shared/command-line.ts'
import { grouped } from '../shared/layout.ts'
import { showProgress } from '../shared/progress.ts'
import { fetchAll } from './pipeline.ts'
import { asJson, asText } from './report.ts'
import { celsiusAt, startService } from './server.ts'

const usage = `Asks a service that allows so many requests in a time.

usage: npm run example -- rate-limited [options]

  --requests N  how many places to ask about (default 400)
  --limit N     how many requests the service allows (default 100) …
  --per MS      … in any so many milliseconds (default 1000)
  --at-once N   how many requests may be under way at once (default 20)
  --no-limit    ask as fast as possible, to see what the service makes of it
  --json        print the result as JSON, alone
  -h, --help    print this

Ctrl-C asks about no more places; requests under way are finished.
`

/** On the way to the service a request may be held up, and later ones may catch up with it. So the window here is longer than there. */
const margin = 1.25

/** The standard output is for the result: warnings go to the standard error, the rest nowhere. */
const logger: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

await runProgram('rate-limited', async () => {
  const numbers = {
    requests: { default: 400, from: 0, to: 1_000_000 },
    limit: { default: 100, from: 1, to: 10_000 },
    per: { default: 1_000, from: 50, to: 60_000 },
    'at-once': { default: 20, from: 1, to: 1_000 },
  }
  const options = parseOptions(process.argv.slice(2), numbers, ['no-limit', 'json', 'help'])
  if (options.help) return void process.stdout.write(usage)
  const { requests: wanted, limit, per: perMs } = options

  const { signal } = stoppedByCtrlC()
  await using service = await startService({ limit, perMs, slowestMs: 60 })
  await using runtime = createRuntime({ logger })
  // The first request of a process takes long; it would arrive together with the next ones.
  await fetch(service.url)
  let answers = 0
  let refused = 0
  const ask = async (place: number, cancelled: AbortSignal) => {
    const response = await fetch(`${service.url}/weather/${place}`, { signal: cancelled })
    if (response.status === 429) return void refused++
    const { celsius } = (await response.json()) as { celsius: number }
    if (celsius !== celsiusAt(place)) throw new Error(`a wrong answer for ${place}: ${celsius}`)
    answers++
  }

  const started = performance.now()
  const hideProgress = showProgress(process.stderr, () => ({
    share: (answers + refused) / wanted,
    text: `${grouped(answers)} of ${grouped(wanted)} answers`,
  }))
  try {
    await fetchAll(runtime, {
      places: Array.from({ length: wanted }, (_, place) => place),
      ask,
      rate: options['no-limit'] ? undefined : { events: limit, perMs: perMs * margin },
      atOnce: options['at-once'],
      signal,
    })
  } finally {
    hideProgress()
  }
  const ms = performance.now() - started
  const results = { limit, perMs, answers, refused, requests: service.requests, ms, interrupted: signal.aborted }
  process.stdout.write(options.json ? `${asJson(results)}\n` : asText(results, process.stdout.columns || 80))
  if (results.interrupted) process.exitCode = 130
})
