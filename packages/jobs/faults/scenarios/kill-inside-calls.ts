import type { Child } from '../child-process.ts'
import type { FatalCall, FatalPlace, PlainRunnerOptions } from '../child/opening.ts'
import type { Field } from '../field.ts'
import { between, type Context, pick, type Scenario, within } from '../scenario.ts'
import type { Tally } from '../tally.ts'
import { hardy, underLoad } from '../under-load.ts'

/** A process that has not reached its last call in that time never will. */
const patienceMs = 20_000

/** Waits until a process has died as it was told to. */
export async function died(field: Field, child: Child, fatal: FatalCall): Promise<void> {
  if (await within(patienceMs, () => child.isOver)) {
    const { signal, code } = await child.exited
    if (signal === 'SIGKILL') return
    field.books.violated(
      'HARNESS',
      `the process that was to die in ${fatal.method} ended with ${signal ?? code}: ${child.errors}`,
    )
  } else {
    field.books.violated('HARNESS', `the process that was to die in ${fatal.method} (${fatal.place}) lives on`)
    await child.kill()
  }
}

/** Runners that die in a call of the store, one after the other. */
function dying(
  context: Context,
  fatalOf: (round: number) => FatalCall,
  options: Partial<PlainRunnerOptions> = {},
): Promise<Tally> {
  return underLoad(context, {}, async (field, round) => {
    const fatal = fatalOf(round)
    await died(field, field.runner({ ...hardy, ...options }, { fatal }), fatal)
  })
}

const inside: readonly [FatalPlace, FatalPlace, FatalPlace] = ['inside', 'before commit', 'after commit']

/** F2: the claim is durable, and no handler has begun. */
export const killAfterClaim: Scenario = {
  id: 'F2',
  fault: 'kill -9 between the commit of a claim and the first handler',
  rounds: 100,
  async run(context) {
    const tally = await dying(context, () => ({
      method: 'claim',
      nth: between(context.random, 1, 4),
      place: 'answered',
      withJobs: true,
    }))
    return { tally, seen: 'rescued; the attempt counted once' }
  },
}

/** F3: inside the claim. */
export const killInClaim: Scenario = {
  id: 'F3',
  fault: 'kill -9 inside a claim, before and after its commit',
  rounds: 100,
  async run(context) {
    const { random } = context
    const tally = await dying(context, round => ({
      // A claim comes alone, or along with the ends of attempts
      ...(round % 2 === 0 ? { method: 'claim', nth: 1 } : { method: 'settle', nth: between(random, 1, 4) }),
      place: pick(random, inside),
      statements: between(random, 1, 12),
    }))
    return { tally, seen: 'available or rescued, never half claimed' }
  },
}

/** F4: the handler has done its work, and nobody knows. */
export const killBeforeComplete: Scenario = {
  id: 'F4',
  fault: 'kill -9 after the handler, before its end is written',
  rounds: 100,
  async run(context) {
    const tally = await dying(context, () => ({ method: 'settle', nth: between(context.random, 1, 5), place: 'before' }))
    return { tally, seen: 'ran again' }
  },
}

/** F5: the end is written, and nobody knows. */
export const killAfterComplete: Scenario = {
  id: 'F5',
  fault: 'kill -9 after the end is durable, before the reply',
  rounds: 100,
  async run(context) {
    const tally = await dying(context, () => ({ method: 'settle', nth: between(context.random, 1, 5), place: 'after commit' }))
    return { tally, seen: 'never started again' }
  },
}
