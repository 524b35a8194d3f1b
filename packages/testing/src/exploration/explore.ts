import { Chains } from './chains.ts'
import { type Decision, ExplorationRun } from './exploration-run.ts'
import type { CounterExample, Exploration, ExploreOptions, Scene } from './scene.ts'

/** The most runs that are spent on making a counter-example shorter. */
const shorteningRuns = 400

/**
 * Runs a scene in every order that its messages, actions and timers allow: depth first, from the beginning for each branch. It ends
 * when all has been seen, at the first counter-example, or after `maxRuns`, and `summary` says which.
 *
 * For scenes of a few stages and a few events: the number of orders grows fast with either.
 *
 * ```ts
 * const exploration = await explore(({ runtime }) => {
 *   const [left, right] = [probeConsumer<number>(), probeConsumer<number>()]
 *   const source = start(fromIterable([1, 2]), { runtime })
 *   for (const { definition } of [left, right])
 *     start(definition, { runtime, subscribeTo: [{ to: source, maxDemand: 1, cancel: 'temporary' }] })
 *   return {
 *     end: () => (left.events.length + right.events.length <= 2 ? [] : ['an event came twice']),
 *   }
 * })
 * console.log(exploration.complete, exploration.counterExample) // => true undefined
 * ```
 */
export async function explore(scene: Scene, options: ExploreOptions = {}): Promise<Exploration> {
  const all = withDefaults(options)
  const seen = new Set<string>()
  const chains = new Chains()
  let [runs, endings, longestPath, unpruned] = [0, 0, 0, 0]
  let counterExample: CounterExample | undefined
  let prefix: readonly number[] | undefined = []
  while (prefix !== undefined && counterExample === undefined && runs < all.maxRuns) {
    const run: ExplorationRun = new ExplorationRun({ scene, options: all, prefix, chains, seen: all.prune ? seen : undefined })
    const ended = await run.play()
    runs++
    if (ended) endings++
    unpruned += run.steps.length
    longestPath = Math.max(longestPath, run.steps.length)
    if (run.violations.length > 0) counterExample = await shortened(scene, run.decisions, all)
    prefix = nextPrefix(run.decisions)
  }
  const complete = prefix === undefined && counterExample === undefined
  const counts = { runs, endings, states: all.prune ? seen.size : unpruned, longestPath, complete, counterExample }
  return { ...counts, summary: summaryOf(counts) }
}

/** Repeats one run of a scene, by the choices of a counter-example. Answers what was wrong, and what happened step by step. */
export async function replay(scene: Scene, choices: readonly number[], options: ExploreOptions = {}): Promise<CounterExample> {
  const run = await runOf(scene, choices, withDefaults(options))
  return { choices, violations: run.violations, steps: run.steps }
}

function withDefaults({
  maxRuns = 100_000,
  maxSteps = 2_000,
  prune = true,
  timers = 'at rest',
}: ExploreOptions): Required<ExploreOptions> {
  return { maxRuns, maxSteps, prune, timers }
}

/** The next branch: the last decision that can be another one is another one. Undefined when there is none left. */
function nextPrefix(decisions: readonly Decision[]): readonly number[] | undefined {
  const last = decisions.findLastIndex(({ index, of }) => index + 1 < of)
  return last < 0 ? undefined : decisions.slice(0, last + 1).map(({ index }, place) => (place === last ? index + 1 : index))
}

async function runOf(scene: Scene, prefix: readonly number[], options: Required<ExploreOptions>): Promise<ExplorationRun> {
  const run = new ExplorationRun({ scene, options, prefix, chains: new Chains(), seen: undefined })
  await run.play()
  return run
}

/** Cuts the end off, and puts the first possibility in place of others, as long as something is still wrong. */
async function shortened(
  scene: Scene,
  decisions: readonly Decision[],
  options: Required<ExploreOptions>,
): Promise<CounterExample> {
  let best = withoutTail(decisions.map(({ index }) => index))
  let run = await runOf(scene, best, options)
  let left = shorteningRuns
  const isWorse = async (choices: readonly number[]): Promise<boolean> => {
    if (left-- <= 0) return true
    const shorter = await runOf(scene, choices, options)
    if (shorter.violations.length === 0) return true
    best = withoutTail(choices)
    run = shorter
    return false
  }
  for (let length = best.length >> 1; length > 0 && left > 0; length >>= 1)
    while (best.length >= length && left > 0) if (await isWorse(withoutTail(best.slice(0, -length)))) break
  for (let place = best.length - 1; place >= 0; place--)
    if ((best[place] ?? 0) > 0) await isWorse(best.map((index, each) => (each === place ? 0 : index)))
  for (let place = best.length - 1; place >= 0; place--) await isWorse(best.filter((_, each) => each !== place))
  return { choices: best, violations: run.violations, steps: run.steps }
}

function withoutTail(choices: readonly number[]): readonly number[] {
  return choices.slice(0, choices.findLastIndex(index => index > 0) + 1)
}

function summaryOf({ runs, states, longestPath, complete, counterExample }: Omit<Exploration, 'summary'>): string {
  const seen = `${states} states in ${runs} runs, the longest of ${longestPath} steps`
  if (counterExample !== undefined)
    return `a counter-example after ${seen}: ${counterExample.violations.join('; ')} (choices ${counterExample.choices.join(' ')})`
  return complete ? `complete: ${seen}` : `NOT complete, stopped at maxRuns: ${seen}`
}
