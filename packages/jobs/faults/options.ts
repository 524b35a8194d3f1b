import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.ts'

export const usage = `Breaks processes, files and clocks on purpose while jobs run, and checks that none is lost and none runs twice that must not.

usage: npm run faults -- embedded [options]

  --rounds N     how often each fault happens (default: as the matrix says, see docs/reliability.md)
  --seed S       where chance begins (default: another one each time)
  --only F1,F8   these faults alone
  --json FILE    appends a line of JSON for each fault to a file
  --write        puts the tables into docs/reliability.md; not together with --only
  -h, --help     print this

Ends with 1 when anything was lost, ran twice that must not, or went against an invariant. Ctrl-C stops, and reports what has been run.
`

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

export interface Options {
  readonly rounds: number | undefined
  readonly seed: number | undefined
  /** Ids of scenarios; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly json: string | undefined
  readonly write: boolean
  readonly help: boolean
}

const valued = ['rounds', 'seed', 'only', 'json']
const flags = ['write', 'help', 'h']

/** Reads the command line. Throws a `UsageError`. */
export function parseOptions(args: readonly string[]): Options {
  const values = new Map<string, string>()
  const set = new Set<string>()
  const stores: string[] = []
  const options = Object.fromEntries(valued.map(name => [name, { type: 'string' as const }]))
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true, options })
  for (const token of tokens) {
    if (token.kind === 'positional') stores.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (flags.includes(name)) set.add(name)
    else if (!valued.includes(name))
      throw new UsageError(`unknown option ${rawName}; there are --${[...valued, ...flags].join(', --')}`)
    else if (value === undefined) throw new UsageError(`${rawName} takes a value`)
    else if (values.has(name)) throw new UsageError(`${rawName} was given twice`)
    else values.set(name, value)
  }
  const help = set.has('help') || set.has('h')
  if (!help && (stores.length !== 1 || stores[0] !== 'embedded'))
    throw new UsageError(`name the store: embedded, not "${stores.join(' ')}"`)
  const only = onlyOf(values.get('only'))
  if (set.has('write') && only !== undefined) throw new UsageError('--write takes a run of all faults, not --only some')
  return {
    rounds: wholeNumber('rounds', values.get('rounds'), 1),
    seed: wholeNumber('seed', values.get('seed'), 0),
    only,
    json: values.get('json'),
    write: set.has('write'),
    help,
  }
}

function onlyOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const ids = text.split(',').map(id => id.trim().toUpperCase())
  const unknown = ids.find(id => !scenarios.some(scenario => scenario.id === id))
  if (unknown === undefined) return ids
  throw new UsageError(`--only: there is no "${unknown}"; there are ${scenarios.map(({ id }) => id).join(', ')}`)
}

function wholeNumber(option: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= 2 ** 31 - 1) return value
  throw new UsageError(`--${option} takes a whole number from ${min} to ${2 ** 31 - 1}, not "${text}"`)
}
