import { parseArgs } from 'node:util'
import { UsageError } from '../shared/command-line.ts'

export const usage = `Counts the words of text files with durable jobs: one for each file.

usage: npm run start:jobs -- [options] [folder]

  folder           with everything below it;
                   without it: the documentation of the installed packages
  --store FILE     where the jobs are kept (default .genstage/job-runner.db);
                   its folder is made if need be
  --fresh          forget what is there, and begin anew
  --retry          put jobs that failed for good back into their queues
  --calm           without the disk troubles that are played by default:
                   files that fail, hang, are slow, or come late
  --concurrency N  files at once in each queue, 1 to 100 (default 4)
  --top N          how many words to show, 0 to 1000 (default 10)
  --json           print the result as JSON, alone
  -h, --help       print this

Ctrl-C stops in order: running jobs finish. A second one gives them back at once.
Start it again and it goes on where it was, also after kill -9. Start it twice at
the same time and both share the work.
`

export interface Options {
  /** Undefined: the documentation of the installed packages. */
  readonly folder: string | undefined
  readonly store: string
  readonly fresh: boolean
  readonly retry: boolean
  readonly calm: boolean
  readonly concurrency: number
  readonly top: number
  readonly json: boolean
  readonly help: boolean
}

/** Where the jobs are kept if nothing is said: in the folder of the project, so that it outlives a restart of the machine. */
export const defaultStore = '.genstage/job-runner.db'

const flags = ['fresh', 'retry', 'calm', 'json', 'help'] as const

/** Reads the command line. Throws a `UsageError`. */
export function parseOptions(args: readonly string[]): Options {
  const values = {
    folder: undefined as string | undefined,
    store: defaultStore,
    concurrency: 4,
    top: 10,
    fresh: false,
    retry: false,
    calm: false,
    json: false,
    help: false,
  }
  // Not strict: its own messages take several lines.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: { store: { type: 'string' }, concurrency: { type: 'string' }, top: { type: 'string' } },
  })
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (values.folder !== undefined) throw new UsageError(`one folder at most, but got "${values.folder}" and "${token.value}"`)
      values.folder = token.value
    } else if (token.kind === 'option') {
      const { name, value } = token
      const flag = flags.find(each => each === (name === 'h' ? 'help' : name))
      if (flag !== undefined && value === undefined) values[flag] = true
      else if (name === 'store') values.store = fileName(value)
      else if (name === 'concurrency') values.concurrency = wholeNumber(name, value, 1, 100)
      else if (name === 'top') values.top = wholeNumber(name, value, 0, 1_000)
      else throw new UsageError(`unknown option ${value === undefined ? token.rawName : `${token.rawName}=${value}`}`)
    }
  }
  return values
}

function fileName(value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError('--store takes the name of a file, but none was given')
  return value
}

function wholeNumber(name: string, text: string | undefined, from: number, to: number): number {
  const value = Number(text)
  if (text !== undefined && /^\d+$/.test(text) && value >= from && value <= to) return value
  const given = text === undefined ? 'but none was given' : `not "${text}"`
  throw new UsageError(`--${name} takes a whole number from ${from} to ${to}, ${given}`)
}
