import type { Child } from '../child-process.ts'
import type { PlannedJob } from '../child/commands.ts'
import type { Field } from '../field.ts'
import type { NewJob } from '../../src/store.ts'
import { type Context, inLanes, type Scenario, uuid } from '../scenario.ts'
import { withField } from '../with-field.ts'

const processes = 5
const callsEach = 10
const undoneShare = 0.3
const occupied = '00000000-0000-4000-8000-000000000001'

/** F36: fifty calls for one key at once, from several processes; some of them are undone. */
export const uniques: Scenario = {
  id: 'F36',
  fault: '50 enqueues of one unique key at once, from 5 processes; 30 % beside one that is undone',
  rounds: 1_000,
  async run(context) {
    let undone = 0
    const tally = await withField(context, { isKept: false }, async field => {
      const children = Array.from({ length: processes }, () => field.spawn())
      await Promise.all(children.map(({ ready }) => ready))
      await field.enqueue([{ id: occupied, kind: 'work', args: { ms: 1 } }])
      await inLanes(context.rounds, 3, async round => {
        const isUndone = context.random() < undoneShare
        if (isUndone) undone++
        await race(field, children, `key ${round}`, isUndone, context)
        context.passed()
      })
      await field.runner().ready
    })
    return { tally, seen: `one job each, its id for all; ${undone} times one call was undone, and another took the key` }
  },
}

async function race(
  field: Field,
  children: readonly Child[],
  key: string,
  isUndone: boolean,
  { random }: Context,
): Promise<void> {
  const undone = isUndone ? undo(field, key, random) : undefined
  const answers = await Promise.all(
    children.map(child =>
      child.ask(
        'enqueue',
        Array.from({ length: callsEach }, (): PlannedJob => ({
          id: uuid(random),
          kind: 'work',
          args: { ms: 0 },
          options: { unique: key },
        })),
      ),
    ),
  )
  await undone
  const all = answers.flat()
  const inserted = all.filter(({ outcome }) => outcome === 'inserted')
  const ids = new Set(all.map(({ id }) => id))
  const strange = all.find(({ outcome }) => outcome !== 'inserted' && outcome !== 'duplicate')
  if (inserted.length !== 1 || ids.size !== 1 || strange !== undefined)
    field.books.violated(
      'JOB-10',
      `${key}: ${inserted.length} inserted, ${ids.size} ids${strange === undefined ? '' : `, ${strange.outcome}`}`,
    )
}

/** A call that takes the key, and is undone as a whole because another of its jobs is refused. */
async function undo(field: Field, key: string, random: () => number): Promise<void> {
  const job: NewJob = {
    id: uuid(random),
    queue: 'default',
    kind: 'work',
    version: 1,
    args: '{"ms":0}',
    priority: 0,
    delayMs: 0,
    maxAttempts: 3,
  }
  const unique = { key: `work:${key}`, until: 'finished', conflict: 'keep' } as const
  try {
    await field.store.insert([
      { ...job, unique },
      { ...job, id: occupied, args: '{"ms":2}' },
    ])
    field.books.violated('JOB-10', `${key}: a call was accepted that names the id of another job`)
  } catch {
    const [found] = await field.store.find([job.id])
    if (found !== undefined) field.books.violated('JOB-10', `${key}: a job of a call that was undone is there`)
  }
}
