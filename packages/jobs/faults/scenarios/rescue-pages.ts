import type { Child } from '../child-process.ts'
import type { NewJob } from '../../src/store.ts'
import type { Field } from '../field.ts'
import { type Scenario, uuid } from '../scenario.ts'
import { withField } from '../with-field.ts'

const pageSize = 100
const heldAlive = 1_000
const heldDead = 350
const dead = 3

/** F44: pages of jobs that are not to be taken back, before those that are. */
export const rescuePages: Scenario = {
  id: 'F44',
  fault: 'more jobs than a page of the rescue holds, those of a living runner before those of dead ones',
  rounds: 1,
  async run(context) {
    const cancelled = new Set<string>()
    let pages = 0
    const tally = await withField(
      context,
      { isKept: false, expected: id => [cancelled.has(id) ? 'cancelled' : 'completed'] },
      async field => {
        await field.client.ready
        await insert(field, heldAlive + dead * heldDead, context.random)
        const alive = await holder(field, 'alive', heldAlive)
        for (let index = 0; index < dead; index++) {
          const dying = await holder(field, `dead ${index}`, heldDead)
          if (index === 0) for (const id of dying.ids.slice(0, 50)) cancelled.add(id)
          await dying.child.kill()
        }
        await field.store.cancel([...cancelled], 'while it ran')
        pages = await rescueAll(field)
        const { queues } = await field.client.stats()
        const { running = 0, waiting = 0, cancelled: ended = 0 } = queues['default'] ?? {}
        if (running !== heldAlive || waiting !== dead * heldDead - cancelled.size || ended !== cancelled.size)
          field.books.violated('JOB-8', `after the rescue ${running} run, ${waiting} wait, ${ended} are cancelled`)
        await alive.child.kill()
        await field.runner({ crashLimit: 10 }).ready
        context.passed()
      },
    )
    return {
      tally,
      rounds: 1,
      seen: `all ${dead * heldDead} jobs of dead runners in ${pages} pages, none of the ${heldAlive} of the living one`,
    }
  },
}

async function insert(field: Field, count: number, random: () => number): Promise<void> {
  const jobs = Array.from({ length: count }, (): NewJob => ({
    id: uuid(random),
    queue: 'default',
    kind: 'work',
    version: 1,
    args: '{"ms":0}',
    priority: 0,
    delayMs: 0,
    maxAttempts: 3,
  }))
  field.noteInserted(jobs.map(({ id }) => id))
  await field.store.insert(jobs)
}

/** A process that holds so many jobs and does nothing with them. Its lease is long; only its death ends it. */
async function holder(
  field: Field,
  id: string,
  limit: number,
): Promise<{ readonly child: Child; readonly ids: readonly string[] }> {
  const child = field.spawn()
  await child.ready
  await child.ask('register', { id, host: 'here', pid: 0, queues: [] }, 600_000)
  const { jobs } = await child.ask('claim', { runner: id, queue: 'default', limit, kinds: ['work'] })
  return { child, ids: jobs.map(job => job.id) }
}

/** Answers in how many pages. */
async function rescueAll(field: Field): Promise<number> {
  for (let pages = 1; ; pages++) {
    const { jobs, more } = await field.store.rescue({ runner: 'nobody', crashLimit: 10, limit: pageSize })
    if (jobs.length > pageSize) field.books.violated('F44', `a page of ${jobs.length} jobs, ${pageSize} were asked for`)
    if (!more) return pages
  }
}
