import { inspect } from 'node:util'
import fc from 'fast-check'
import { type Kind, kinds } from './kinds.ts'
import type { Options } from './options.ts'
import { Progress } from './progress.ts'

/** How long the runs of one round are: after each there is news of the progress. */
const runsPerRound = 250

/** Where the text goes, and whether to go on. */
export interface Output {
  say(text: string): void
  /** Whether a line can be written over: a terminal. */
  readonly isLive: boolean
  readonly signal: AbortSignal
}

/** Runs as many simulations as asked for, or until an invariant is violated. Answers the exit code. */
export async function simulate(options: Options, output: Output): Promise<number> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  if (options.path === undefined) output.say(`${options.runs} runs, seed ${seed}\n`)
  const progress = new Progress(options.runs, output)
  const [first] = options.kinds
  if (options.path !== undefined && first !== undefined) {
    const { path } = options
    const details = await fc.check(await kinds[first].property(options.plant), { seed, path, numRuns: 1, endOnFailure: true })
    if (!details.failed) return said(output, 'No invariant was violated.\n', 0)
    return said(output, counterExample(kinds[first], details, seed, options), 1)
  }
  for (let round = 0; progress.done < options.runs && !output.signal.aborted; round++) {
    const kind = kinds[options.kinds[round % options.kinds.length] ?? 'topology']
    const numRuns = Math.min(runsPerRound, options.runs - progress.done)
    const roundSeed = (seed + round) % 2 ** 31
    const details = await fc.check(await kind.property(options.plant), { seed: roundSeed, numRuns })
    progress.add(details.failed ? details.numRuns : numRuns)
    if (!details.failed) continue
    progress.end()
    return said(output, counterExample(kind, details, roundSeed, options), 1)
  }
  progress.end()
  return said(output, output.signal.aborted ? 'Stopped.\n' : 'No invariant was violated.\n', 0)
}

function said(output: Output, text: string, code: number): number {
  output.say(text)
  return code
}

/** What was violated, by which plan, and how to see it again. */
function counterExample(
  { name }: Kind,
  { counterexample, counterexamplePath, errorInstance, numShrinks }: fc.RunDetails<[unknown, number]>,
  seed: number,
  { plant }: Options,
): string {
  const [plan, simulationSeed] = counterexample ?? []
  const what = errorInstance instanceof Error && errorInstance.name === 'Violated' ? errorInstance.message : String(errorInstance)
  const again = `npm run simulate -- ${name === 'jobs' ? name : `--kind ${name}`} --seed ${seed} --path ${counterexamplePath ?? ''}`
  return [
    `Violated by ${name === 'jobs' ? 'runners of jobs' : `a ${name}`}, shortened ${numShrinks} times:`,
    ...what.split('\n').map(line => `  ${line}`),
    '',
    `plan, run with the seed ${simulationSeed ?? 0}:`,
    inspect(plan, { depth: null, breakLength: 130, maxArrayLength: null }),
    '',
    `again: ${again}${plant === undefined ? '' : ` --plant ${plant}`}`,
    '',
  ].join('\n')
}
