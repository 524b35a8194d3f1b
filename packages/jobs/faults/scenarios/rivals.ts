import type { Child } from '../child-process.ts'
import type { Field } from '../field.ts'
import type { ClaimedJob, NewJob, Settlement } from '../../src/store.ts'
import { type Scenario, uuid } from '../scenario.ts'
import { withField } from '../with-field.ts'

const atOnce = 50
const runner = { id: 'the one that both believe to be', host: 'here', pid: process.pid, queues: [] }

/** F9: two processes end the same attempt at the same time. */
export const rivals: Scenario = {
  id: 'F9',
  fault: 'two processes complete and fail the same attempt at once',
  rounds: 1_000,
  async run(context) {
    const wins = { completed: 0, failed: 0 }
    const states = new Map<string, 'completed' | 'failed'>()
    const tally = await withField(context, { expected: id => [states.get(id) ?? 'completed'] }, async field => {
      const [one, other] = [field.spawn(), field.spawn()]
      await Promise.all([field.client.ready, one.ready, other.ready])
      await field.store.register(runner, 600_000)
      for (let done = 0; done < context.rounds && !context.signal.aborted; done += atOnce) {
        const jobs = await claimSome(field, Math.min(atOnce, context.rounds - done), context.random)
        await Promise.all(
          jobs.map(async (job, index) => {
            const winner = await race(field, job, index % 2 === 0 ? [one, other] : [other, one])
            if (winner === undefined) return
            wins[winner]++
            states.set(job.id, winner)
            context.passed()
          }),
        )
      }
      field.books.tally.staleRefused = 2 * (wins.completed + wins.failed)
    })
    return { tally, seen: `one always won: ${wins.completed} completed, ${wins.failed} failed` }
  },
}

async function claimSome(field: Field, count: number, random: () => number): Promise<readonly ClaimedJob[]> {
  const jobs = Array.from({ length: count }, (): NewJob => ({
    id: uuid(random),
    queue: 'rivals',
    kind: 'work',
    version: 1,
    args: '{}',
    priority: 0,
    delayMs: 0,
    maxAttempts: 1,
  }))
  field.noteInserted(jobs.map(({ id }) => id))
  await field.store.insert(jobs)
  const claimed = await field.store.claim({ runner: runner.id, queue: 'rivals', limit: count, kinds: ['work'] })
  return claimed.jobs
}

/** Answers who has won. A third one, who comes too late, must lose. */
async function race(
  field: Field,
  { id, seq, token }: ClaimedJob,
  [one, other]: readonly [Child, Child],
): Promise<'completed' | 'failed' | undefined> {
  const completion: Settlement = { seq, token, ranMs: 1, to: 'completed' }
  const failure: Settlement = { seq, token, ranMs: 1, to: 'failed', failure: { name: 'Error', message: 'lost the race' } }
  const [first, second] = await Promise.all([one.ask('settle', [completion]), other.ask('settle', [failure])])
  const [didComplete, didFail] = [first.accepted[0] === true, second.accepted[0] === true]
  const late = await one.ask('settle', [completion])
  if (didComplete === didFail || late.accepted[0] === true) {
    field.books.violated('JOB-4', `job ${id}: completed ${didComplete}, failed ${didFail}, then ${late.accepted[0]}`)
    return undefined
  }
  const winner = didComplete ? 'completed' : 'failed'
  const [stored] = await field.store.find([id])
  if (stored?.state !== winner) field.books.violated('JOB-4', `job ${id} was ${winner}, and is ${stored?.state ?? 'gone'}`)
  return winner
}
