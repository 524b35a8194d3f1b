/** The command line of the fault runs: `npm run faults -- embedded --only F1 --rounds 50 --seed 1`. */
import { type Options, parseOptions, usage, UsageError } from './options.ts'
import { runAll } from './run-all.ts'

const say = (text: string): void => void process.stdout.write(text)

/** The options, or undefined if there is nothing to run. */
function options(): Options | undefined {
  try {
    const read = parseOptions(process.argv.slice(2))
    if (!read.help) return read
    say(usage)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}; see --help\n`)
    process.exitCode = 2
  }
  return undefined
}

const given = options()
if (given !== undefined) {
  const stopping = new AbortController()
  process.once('SIGINT', () => stopping.abort())
  process.exitCode = await runAll(given, { say, isLive: process.stdout.isTTY, signal: stopping.signal })
}
