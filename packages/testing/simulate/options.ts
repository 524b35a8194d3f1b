import { parseArgs } from 'node:util'

export const usage = `Runs random topologies and random trees of supervisors, or random runners of jobs, in simulations, and checks all invariants.

usage: npm run simulate -- [jobs] [options]

  --runs N     how many (default 10000)
  --seed S     where chance begins (default: another one each time)
  --kind K     topology, tree, or both in turn (default both; not with jobs)
  --path P     repeat one run, as the command printed with a counter-example says; needs --seed and --kind
  --plant B    plant a bug, to see it found: lost-event, repeated-event or swapped-events;
               with jobs: lost-settlement, double-claim, lying-heart, hot-retry, late-retry or greedy-pruning
  -h, --help   print this

Ends with 1 when an invariant was violated. It prints the shortest counter-example then, and the command that replays it.
Ctrl-C stops, and reports what has been run.
`

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

export type KindName = 'topology' | 'tree' | 'jobs'

/** Bugs in dispatchers, and in what jobs depend on. */
export const plantedBugs = ['lost-event', 'repeated-event', 'swapped-events'] as const
const jobBugs = ['lost-settlement', 'double-claim', 'lying-heart', 'hot-retry', 'late-retry', 'greedy-pruning'] as const
export type PlantedBug = (typeof plantedBugs)[number]
export type PlantedJobBug = (typeof jobBugs)[number]

export interface Options {
  readonly runs: number
  readonly seed: number | undefined
  readonly kinds: readonly KindName[]
  readonly path: string | undefined
  readonly plant: PlantedBug | PlantedJobBug | undefined
  readonly help: boolean
}

const names = ['runs', 'seed', 'kind', 'path', 'plant', 'help']

/** Reads the command line. Throws a `UsageError`. */
export function parseOptions(args: readonly string[]): Options {
  const given = new Map<string, string>()
  let help = false
  let isJobs = false
  const options = Object.fromEntries(names.slice(0, -1).map(name => [name, { type: 'string' as const }]))
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true, options })
  for (const token of tokens) {
    if (token.kind === 'positional' && token.value === 'jobs') isJobs = true
    else if (token.kind === 'positional') throw new UsageError(`unknown argument "${token.value}"`)
    if (token.kind !== 'option') continue
    if (token.name === 'help' || token.name === 'h') help = true
    else if (!names.includes(token.name))
      throw new UsageError(`unknown option ${token.rawName}; there are --${names.join(', --')}`)
    else if (token.value === undefined) throw new UsageError(`--${token.name} takes a value`)
    else if (given.has(token.name)) throw new UsageError(`--${token.name} was given twice`)
    else given.set(token.name, token.value)
  }
  if (isJobs && given.has('kind')) throw new UsageError('--kind is not for jobs')
  const kinds = isJobs ? (['jobs'] as const) : kindsOf(given.get('kind') ?? 'both')
  const seed = given.has('seed') ? wholeNumber('seed', given.get('seed'), 0) : undefined
  const path = given.get('path')
  if (path !== undefined && !/^\d+(:\d+)*$/.test(path)) throw new UsageError(`--path takes numbers with colons, not "${path}"`)
  if (path !== undefined && (seed === undefined || kinds.length > 1)) throw new UsageError('--path needs --seed and --kind')
  const plant = given.get('plant')
  const bugs = isJobs ? jobBugs : plantedBugs
  if (plant !== undefined && !isOneOf(bugs, plant))
    throw new UsageError(`--plant takes one of ${bugs.join(', ')}, not "${plant}"`)
  return { runs: wholeNumber('runs', given.get('runs') ?? '10000', 1), seed, kinds, path, plant, help }
}

function isOneOf<Bug extends string>(bugs: readonly Bug[], text: string): text is Bug {
  return bugs.some(bug => bug === text)
}

/** Whether it is one for jobs. */
export function isJobBug(bug: PlantedBug | PlantedJobBug): bug is PlantedJobBug {
  return isOneOf(jobBugs, bug)
}

function kindsOf(text: string): readonly KindName[] {
  if (text === 'both') return ['topology', 'tree']
  if (text === 'topology' || text === 'tree') return [text]
  throw new UsageError(`--kind takes topology, tree or both, not "${text}"`)
}

function wholeNumber(option: string, text: string | undefined, min: number): number {
  const value = Number(text)
  if (text !== undefined && /^\d+$/.test(text) && value >= min && value <= 2 ** 31 - 1) return value
  throw new UsageError(`--${option} takes a whole number from ${min} to ${2 ** 31 - 1}, not "${text ?? ''}"`)
}
