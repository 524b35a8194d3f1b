import type { PlannedJob } from '../child/commands.ts'
import type { FatalCall, FatalPlace } from '../child/opening.ts'
import type { Field } from '../field.ts'
import { between, pick, type Scenario, uuid } from '../scenario.ts'
import { underLoad } from '../under-load.ts'
import { died } from './kill-inside-calls.ts'

const places: readonly [FatalPlace, ...FatalPlace[]] = ['before', 'inside', 'before commit', 'after commit', 'answered']
const durable: ReadonlySet<FatalPlace> = new Set(['after commit', 'answered'])

/** F6: who enqueues under an id of its own may ask again after any death. */
export const killInEnqueue: Scenario = {
  id: 'F6',
  fault: 'kill -9 inside an enqueue, before and after its commit',
  rounds: 100,
  async run(context) {
    const { random } = context
    let kept = 0
    const tally = await underLoad(context, { backlog: 20 }, async field => {
      const fatal: FatalCall = { method: 'insert', nth: 1, place: pick(random, places), statements: between(random, 1, 4) }
      const jobs = Array.from({ length: between(random, 1, 5) }, (): PlannedJob => ({
        id: uuid(random),
        kind: 'work',
        args: { ms: 0 },
      }))
      const child = field.spawn({ fatal })
      await child.ready
      child.ask('enqueue', jobs).catch(() => {}) // it dies over it
      await died(field, child, fatal)
      const found = await askAgain(field, jobs, durable.has(fatal.place))
      kept += found
    })
    return { tally, seen: `${kept} jobs were there after their commit; asking again stored none twice` }
  },
}

/** Enqueues the same again. Answers how many were there before. */
async function askAgain(field: Field, jobs: readonly PlannedJob[], areDurable: boolean): Promise<number> {
  const found = (await field.store.find(jobs.map(({ id }) => id))).filter(job => job !== undefined).length
  const expected = areDurable ? jobs.length : 0
  if (found !== expected) field.books.violated('JOB-1', `${found} of ${jobs.length} jobs are there, ${expected} were to be`)
  const outcomes = await field.enqueue(jobs)
  const wanted = areDurable ? 'duplicate' : 'inserted'
  for (const outcome of outcomes)
    if (outcome !== wanted) field.books.violated('JOB-1', `asked again for a job: ${outcome} instead of ${wanted}`)
  return found
}
