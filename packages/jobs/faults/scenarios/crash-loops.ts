import type { PlannedJob } from '../child/commands.ts'
import type { Field } from '../field.ts'
import { inLanes, type Scenario, uuid, within } from '../scenario.ts'
import { withField } from '../with-field.ts'

const crashLimit = 3

/** F15: a job that takes its process along, each time. */
export const crashLoops: Scenario = {
  id: 'F15',
  fault: 'a job that kills its process each time',
  rounds: 20,
  async run(context) {
    const poisons = new Set<string>()
    let deaths = 0
    const tally = await withField(context, { expected: id => [poisons.has(id) ? 'failed' : 'completed'] }, async field => {
      await inLanes(context.rounds, 3, async round => {
        const poison = uuid(context.random)
        poisons.add(poison)
        const innocents = Array.from({ length: 8 }, () => uuid(context.random))
        const died = await dieOver(field, `poison-${round}`, poison, innocents)
        deaths += died
        context.passed()
      })
    })
    const each = (deaths / context.rounds).toFixed(1)
    return {
      tally,
      seen: `failed with RUNNER_CRASHED, args and history kept, after ${each} deaths; its neighbours were completed`,
    }
  },
}

/** Answers how many processes have died. */
async function dieOver(field: Field, queue: string, poison: string, innocents: readonly string[]): Promise<number> {
  const { books } = field
  const neighbours = (ids: readonly string[]): readonly PlannedJob[] =>
    ids.map(id => ({ id, kind: 'work', args: { ms: 20 }, options: { queue } }))
  await field.enqueue([
    ...neighbours(innocents.slice(0, 3)),
    { id: poison, kind: 'poison', args: {}, options: { queue } },
    ...neighbours(innocents.slice(3)),
  ])
  let deaths = 0
  for (;;) {
    const child = field.runner({ queues: { [queue]: 4 }, crashLimit })
    const isDone = async (): Promise<boolean> =>
      (await field.store.find([poison, ...innocents])).every(job => job?.finishedAt !== undefined)
    await within(20_000, async () => child.isOver || (await isDone()))
    // Asked, not looked at: another runner may have written what became of the jobs before we hear of the death
    const hasDied = await child.ready
      .then(() => child.ask('stop', 0))
      .then(
        () => false,
        () => true,
      )
    await child.kill()
    if (!hasDied) break
    if (++deaths > crashLimit) break
  }
  if (deaths !== crashLimit) books.violated('JOB-7', `${deaths} processes died under one job, ${crashLimit} were to`)
  const failed = await field.client.find(poison)
  const crashes = failed?.history.filter(({ outcome }) => outcome === 'crash').length
  if (failed?.error?.code !== 'RUNNER_CRASHED' || crashes !== crashLimit || failed.crashes !== crashLimit)
    books.violated('JOB-7', `the job is ${failed?.state} with ${failed?.error?.code}, ${crashes} crashes in its history`)
  return deaths
}
