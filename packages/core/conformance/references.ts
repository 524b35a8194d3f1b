/** Whether what an entry names is there: the stages and subscriptions of its steps, and an outcome for each. */
import { ScenarioError } from './scenario.ts'
import type { Scenario, StartSubscription, Trace } from './scenario.ts'
import { refuse } from './shapes.ts'

/** The name that nobody ever has. Scenarios may name it wherever they name a stage. */
const ghost = 'ghost'

/** A name in a scenario, and its place. */
type Named = readonly [name: string, place: string]

/** Stages and subscriptions have names of their own, and what a step names is there. */
export function checkNames({ stages, steps }: Scenario): void {
  const [ids, aliases, producers, targets, subs]: [Named[], Named[], Named[], Named[], Named[]] = [[], [], [], [], []]
  const request = ({ as, producer }: StartSubscription, place: string): void => {
    aliases.push([as, `${place}.as`])
    producers.push([producer, `${place}.producer`])
  }
  for (const [index, { id, subscribeTo = [] }] of stages.entries()) {
    const place = `entry.scenario.stages[${index}]`
    ids.push([id, `${place}.id`])
    for (const [at, each] of subscribeTo.entries()) request(each, `${place}.subscribeTo[${at}]`)
  }
  for (const [index, step] of steps.entries()) {
    const place = `entry.scenario.steps[${index}]`
    if ('as' in step) request(step, place)
    if ('consumer' in step) targets.push([step.consumer, `${place}.consumer`])
    if ('stage' in step) targets.push([step.stage, `${place}.stage`])
    if ('sub' in step) subs.push([step.sub, `${place}.sub`])
  }
  refuseTwice(ids)
  refuseTwice(aliases)
  refuseUnknown([...producers, ...targets], 'a stage', [...namesOf(ids), ghost])
  refuseUnknown(subs, 'a subscription', namesOf(aliases))
}

function namesOf(named: readonly Named[]): readonly string[] {
  return named.map(([name]) => name)
}

function refuseTwice(named: readonly Named[]): void {
  const seen = new Set<string>()
  for (const [name, place] of named) {
    if (seen.has(name)) refuse(place, 'a name that nothing before it has', name)
    seen.add(name)
  }
}

function refuseUnknown(named: readonly Named[], what: string, known: readonly string[]): void {
  const allowed = `${what} of the scenario (${known.join(', ') || 'there is none'})`
  for (const [name, place] of named) if (!known.includes(name)) refuse(place, allowed, name)
}

/** A trace has an outcome for each step. */
export function checkLength({ steps }: Scenario, { steps: outcomes }: Trace, place: string): void {
  if (outcomes.length === steps.length) return
  throw new ScenarioError(`${place}.steps must have an outcome for each of the ${steps.length} steps, not ${outcomes.length}`)
}
