/** The command line of the benchmarks: `npm run bench -- core`, `supervision`, `streams`, `workers`, `jobs` or `memory`. */
import { benchCore } from './core/main.ts'
import { usage } from './core/options.ts'
import { benchJobs } from './jobs/main.ts'
import { usage as jobsUsage } from './jobs/options.ts'
import { benchMemory } from './memory/main.ts'
import { benchStreams } from './streams/main.ts'
import { usage as streamsUsage } from './streams/options.ts'
import { benchSupervision } from './supervision/main.ts'
import { usage as supervisionUsage } from './supervision/options.ts'
import { benchWorkers } from './workers/main.ts'
import { usage as workersUsage } from './workers/options.ts'

const say = (text: string): void => void process.stdout.write(text)

const [suite, ...args] = process.argv.slice(2)
const suites: Readonly<Record<string, () => Promise<number>>> = {
  core: () => benchCore(args, say),
  supervision: () => benchSupervision(args, say),
  streams: () => benchStreams(args, say),
  workers: () => benchWorkers(args, say),
  jobs: () => benchJobs(args, say),
  memory: () => benchMemory(say),
}
const run = suites[suite ?? '']
if (run === undefined) {
  say(
    `${usage}\n\n${supervisionUsage}\n\n${streamsUsage}\n\n${workersUsage}\n\n${jobsUsage}\n\nnpm run bench -- memory\n\n  ten million events through a slow consumer in a heap of 64 MB\n`,
  )
  process.exitCode = 2
} else {
  try {
    process.exitCode = await run()
  } catch (error) {
    say(`\n${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
