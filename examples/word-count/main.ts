/**
 * Counts the words of text files. What will be seen: a line of progress while it works (in a terminal), then the most
 * frequent words, how fast and with how much memory they were counted, and the stages that did it. See README.md; the
 * stages are in pipeline.ts.
 */
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createRuntime } from '@genstage/core'
import type { Logger } from '@genstage/core'
import { runProgram, stoppedByCtrlC, UsageError } from '../shared/command-line.ts'
import { parseOptions, usage } from './options.ts'
import type { Options } from './options.ts'
import { startCounting } from './pipeline.ts'
import { showProgress } from './progress.ts'
import type { Figures } from './progress.ts'
import { textsOfFiles, textsOfStream } from './read.ts'
import type { Reading } from './read.ts'
import { asJson, asText } from './report.ts'
import type { Results } from './report.ts'
import { filesBelow, isDocumentation } from './walk.ts'

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** The standard output is for the result: warnings go to the standard error, the rest nowhere. */
const logger: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

await runProgram('word-count', async () => {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) process.stdout.write(usage)
  else await run(options)
})

async function run(options: Options): Promise<void> {
  const results = await countAll(options, stoppedByCtrlC())
  process.stdout.write(options.json ? `${asJson(results)}\n` : asText(results, process.stdout.columns || 80))
  if (results.interrupted) process.exitCode = 130
}

async function countAll({ path, top, json }: Options, stopping: AbortController): Promise<Results> {
  const reading: Reading = { files: 0, skipped: 0, signal: stopping.signal }
  const texts = await textsOf(path, reading)
  const started = performance.now()

  const runtime = createRuntime({ logger })
  const handled = new Map<string, number>()
  let events = 0
  runtime.telemetry.on('handled', ({ stage, callback, count }) => {
    if (callback !== 'handleEvents') return
    handled.set(stage, (handled.get(stage) ?? 0) + count)
    events += count
  })

  const counting = await startCounting(() => texts, { top, runtime })
  const progress = async () => ({ files: reading.files, words: await counting.wordsByNow(), events })
  const hideProgress = json || !process.stderr.isTTY ? () => {} : progressFor(path, progress)
  try {
    const counts = await counting.counts
    return {
      files: reading.files,
      skipped: reading.skipped,
      counts,
      events,
      handled,
      topology: counting.topology,
      ms: performance.now() - started,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      interrupted: stopping.signal.aborted,
    }
  } finally {
    hideProgress()
    // After a failure somebody may still be reading.
    stopping.abort()
    await runtime.stop()
  }
}

function progressFor(path: string | undefined, read: () => Promise<Figures>): () => void {
  if (path !== '-' || !process.stdin.isTTY) return showProgress(process.stderr, read)
  // Words are being typed on this terminal: leave their lines alone, and begin a new one behind them.
  return () => process.stderr.write('\n')
}

async function textsOf(path: string | undefined, reading: Reading): Promise<AsyncIterable<string>> {
  if (path === undefined) return textsOfFiles(filesBelow(packages, reading, isDocumentation), reading)
  if (path === '-') return textsOfStream(process.stdin, reading)

  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === 'ENOENT' ? `there is no "${path}"` : `cannot read "${path}": ${error.message}`)
  })
  return textsOfFiles(stats.isDirectory() ? filesBelow(path, reading, () => true) : [path], reading)
}
