import type { Child } from '../child-process.ts'
import { type Death, deaths } from '../child/mortal.ts'
import type { Field } from '../field.ts'
import { type Context, inLanes, type Scenario, uuid, within } from '../scenario.ts'
import { withField } from '../with-field.ts'

const lanes = 2
const threads = 2
/** Longer than any of it takes: what hangs is to be seen as a failure. */
const timeoutMs = 20_000

/** What is told of each death. */
const told: Readonly<Record<Death, string>> = {
  exit: 'its thread has ended with exit code 3',
  throw: 'its thread has ended with exit code 1: RangeError: thrown in a timer',
  reject: 'its thread has ended with exit code 1: RangeError: nobody awaits it',
  heap: 'its thread has ended with exit code 1: Error: Worker terminated due to reaching memory limit',
  terminate: 'its thread has ended with exit code 1',
}

/** F14: threads that die under their jobs. In each round one of every sort, beside jobs that need all threads at once. */
export const threadDeaths: Scenario = {
  id: 'F14',
  fault: 'a worker thread ends, throws, leaves a rejection, runs out of memory, is terminated: each once in a round',
  rounds: 50,
  async run(context) {
    let died = 0
    const tally = await withField(context, { concurrency: deaths.length, isKept: false }, async field => {
      const children = Array.from({ length: Math.min(lanes, context.rounds) }, (_, lane) => {
        const queues = { [`threads-${lane}`]: { concurrency: deaths.length, maxPrefetch: 0 } }
        return field.runner({ queues }, { threads })
      })
      await Promise.all(children.map(({ ready }) => ready))
      await inLanes(context.rounds, lanes, async (_, lane) => {
        const child = children[lane]
        if (child === undefined || context.signal.aborted) return
        const deadNow = await dieInTurn(field, child, `threads-${lane}`, context)
        died += deadNow
        await field.check()
        context.passed()
      })
      await Promise.all(children.map(child => endInOrder(field, child)))
    })
    return {
      tally,
      seen: `${died} threads died; each job failed with WORKER_THREAD_EXIT and the exit code, ran again on another thread, and no place was lost; the processes lived on`,
    }
  },
}

/** Answers how many threads have died. */
async function dieInTurn(field: Field, child: Child, queue: string, { random }: Context): Promise<number> {
  const { books } = field
  const mortals = deaths.map(how => ({ how, id: uuid(random) }))
  await field.enqueue(
    mortals.map(({ how, id }) => ({
      id,
      kind: 'mortal',
      args: { how, failures: 1 },
      options: { queue, timeoutMs, maxAttempts: 2 },
    })),
  )
  await ended(
    field,
    mortals.map(({ id }) => id),
  )
  for (const { how, id } of mortals) {
    const job = await field.client.find(id)
    const [first] = job?.history ?? []
    if (job?.state !== 'completed' || job.crashes !== 0)
      books.violated('F14', `${how}: job ${id} is ${job?.state}, with ${job?.crashes} crashes`)
    if (first?.failure?.code !== 'WORKER_THREAD_EXIT' || !first.failure.message.includes(told[how]))
      books.violated('F14', `${how}: the first attempt failed with ${first?.failure?.code}: ${first?.failure?.message}`)
  }
  // They end only if there are as many threads as before
  const party = uuid(random)
  const guests = Array.from({ length: threads }, () => uuid(random))
  await field.enqueue(
    guests.map(id => ({ id, kind: 'meet', args: { party, of: threads }, options: { queue, timeoutMs, maxAttempts: 1 } })),
  )
  await ended(field, guests)
  const { running, waiting } = await child.ask('pool')
  if (running + waiting > 0) books.violated('F14', `${running} places of the pool are taken by nobody, ${waiting} wait`)
  return mortals.length
}

/** Resolves when they have ended, however. */
async function ended(field: Field, ids: readonly string[]): Promise<void> {
  const areEnded = async (): Promise<boolean> => (await field.store.find(ids)).every(job => job?.finishedAt !== undefined)
  if (!(await within(3 * timeoutMs, areEnded))) field.books.violated('F14', `jobs do not end: ${ids.join(', ')}`)
}

/** A process whose threads have died is a process like any other. */
async function endInOrder(field: Field, child: Child): Promise<void> {
  if (child.isOver) return field.books.violated('F14', `the process died with its threads: ${child.errors}`)
  child.signal('SIGTERM')
  const { code, signal } = await child.exited
  if (code !== 0) field.books.violated('F14', `the process ended with ${code ?? signal}: ${child.errors}`)
}
