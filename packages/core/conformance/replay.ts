/** Runs a scenario and gives its trace. */
import { perform } from './ops.ts'
import { Run } from './run.ts'
import type { Scenario, Trace } from './scenario.ts'

/**
 * Replays a scenario on a runtime of its own. Rejects if it never becomes quiet (at the latest after so many observations), or is no
 * scenario.
 */
export async function replay(scenario: Scenario, mostObservations?: number): Promise<Trace> {
  const run = new Run(scenario, mostObservations)
  try {
    return { start: await startAll(run, scenario.stages), steps: await performAll(run, scenario.steps) }
  } finally {
    await run.end()
  }
}

async function startAll(run: Run, stages: Scenario['stages']): Promise<Trace['start']> {
  const results: [id: string, result: string][] = []
  for (const stage of stages) results.push([stage.id, await run.start(stage)])
  return { results: Object.fromEntries(results), obs: await run.quiet('the start') }
}

async function performAll(run: Run, steps: Scenario['steps']): Promise<Trace['steps']> {
  const done: Trace['steps'][number][] = []
  for (const step of steps) {
    const outcome = perform(step, run)
    const obs = await run.quiet(`step ${done.length}, ${JSON.stringify(step)}`)
    done.push({ result: outcome(), obs })
  }
  return done
}
