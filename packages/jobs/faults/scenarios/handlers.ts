import type { PlannedJob } from '../child/commands.ts'
import { type Thrown, throwables } from '../child/throwables.ts'
import type { Field } from '../field.ts'
import { type Context, inLanes, type Scenario, uuid } from '../scenario.ts'
import { withField } from '../with-field.ts'

const lanes = 3
const longestMessage = 4 * 1024

/** F11: a handler that never ends, whatever it is told. */
export const stuckHandlers: Scenario = {
  id: 'F11',
  fault: 'the handler never settles',
  rounds: 20,
  async run(context) {
    const timedOut = new Set<string>()
    const cutOff = new Set<string>()
    const expected = (id: string): readonly ('failed' | 'cancelled' | 'completed')[] =>
      timedOut.has(id) ? ['failed'] : cutOff.has(id) ? ['cancelled'] : ['completed']
    const tally = await withField(context, { expected }, async field => {
      await inLanes(context.rounds, lanes, async round => {
        const [first, next, last] = [uuid(context.random), uuid(context.random), uuid(context.random)]
        timedOut.add(first)
        cutOff.add(last)
        await stickTwice(field, `stuck-${round}`, first, next, last)
        context.passed()
      })
    })
    return { tally, seen: 'JOB_TIMEOUT, then HANDLER_STUCK; its place is given to others; stop ended in its grace with 0' }
  },
}

async function stickTwice(field: Field, queue: string, first: string, next: string, last: string): Promise<void> {
  const { books } = field
  const child = field.runner({ queues: { [queue]: { concurrency: 1, maxPrefetch: 0 } }, graceMs: 200, abandonMs: 100 })
  await child.ready
  await field.enqueue([
    { id: first, kind: 'stuck', args: {}, options: { queue, timeoutMs: 150, maxAttempts: 1 } },
    { id: next, kind: 'work', args: { ms: 1 }, options: { queue } },
  ])
  // The place of the one that is stuck is given to the next
  if ((await field.line(({ job, event }) => job === next && event === 'settled:completed')) === undefined)
    books.violated('F11', `the place of job ${first} was not given to another`)
  for (const event of ['aborted:JOB_TIMEOUT', 'stuck', 'settled:failed'])
    if ((await field.line(line => line.job === first && line.event === event)) === undefined)
      books.violated('F11', `job ${first}: there is no "${event}"`)
  const failed = await field.client.find(first)
  if (failed?.error?.code !== 'JOB_TIMEOUT') books.violated('F11', `job ${first} failed with ${failed?.error?.code ?? 'nothing'}`)

  await field.enqueue([{ id: last, kind: 'stuck', args: {}, options: { queue } }])
  await field.line(({ job, event }) => job === last && event === 'start')
  if (child.isOver) books.violated('F11', 'the process ended by itself although a handler was running')
  const begun = performance.now()
  child.signal('SIGTERM')
  const { code } = await child.exited
  const ms = performance.now() - begun
  if (code !== 0 || ms > 3_000) books.violated('JOB-9', `stop ended with ${code} after ${Math.round(ms)} ms`)
  const released = await field.client.find(last)
  if (released?.state !== 'waiting' || released.attempt !== 0 || released.crashes !== 0)
    books.violated('JOB-9', `job ${last} is ${released?.state}, attempt ${released?.attempt}, ${released?.crashes} crashes`)
  await field.client.cancel(last)
}

/** F12: what is thrown is no ordinary error. */
export const strangeThrows: Scenario = {
  id: 'F12',
  fault: 'the handler throws: a text, undefined, something frozen, cyclic, hostile, 10 MB long',
  rounds: Object.keys(throwables).length,
  leastRounds: Object.keys(throwables).length,
  async run(context) {
    const all = Object.keys(throwables) as Thrown[]
    const jobs = all.map((what): PlannedJob => ({
      id: uuid(context.random),
      kind: 'throw',
      args: { what },
      options: { maxAttempts: 1 },
    }))
    const ids = new Set(jobs.map(({ id }) => id))
    const tally = await withField(context, { expected: id => [ids.has(id) ? 'failed' : 'completed'] }, async field => {
      const child = field.runner()
      await child.ready
      for (const job of jobs) {
        await field.enqueue([job])
        await field.line(({ job: id, event }) => id === job.id && event === 'settled:failed')
        const error = (await field.client.find(job.id))?.error
        if (error === undefined) field.books.violated('F12', `${JSON.stringify(job.args)} left no failure`)
        else if (Buffer.byteLength(error.message) > longestMessage) field.books.violated('F12', 'the message was not cut')
        context.passed()
      }
      const canary = uuid(context.random)
      await field.enqueue([{ id: canary, kind: 'work', args: { ms: 0 } }])
      await field.line(({ job, event }) => job === canary && event === 'settled:completed')
      if (child.isOver) field.books.violated('F12', `the process died of it: ${child.errors}`)
    })
    return { tally, seen: 'each attempt failed, its message cut to 4 KiB; the process lived on', rounds: all.length }
  },
}

/** F13: something that the handler left behind fails. */
export const strayErrors: Scenario = {
  id: 'F13',
  fault: 'an error out of a timer, or out of a promise nobody awaits',
  rounds: 20,
  async run(context) {
    const strays = new Set<string>()
    const tally = await withField(context, { expected: id => [strays.has(id) ? 'failed' : 'completed'] }, async field => {
      const queues: Record<string, number> = {}
      await inLanes(context.rounds, lanes, async round => {
        const queue = `stray-${round}`
        queues[queue] = 4
        const id = uuid(context.random)
        strays.add(id)
        await goAstray(field, queue, id, context, round % 2 === 0 ? 'timer' : 'promise')
        context.passed()
      })
      // What the dead have left waits for another process
      await field.runner({ queues }).ready
    })
    return { tally, seen: 'STRAY_ERROR on the job it came from; the process drained and ended with 1; others ran elsewhere' }
  },
}

async function goAstray(field: Field, queue: string, id: string, { random }: Context, how: 'timer' | 'promise'): Promise<void> {
  await field.enqueue([
    { id, kind: 'stray', args: { how }, options: { queue, maxAttempts: 1 } },
    ...Array.from({ length: 3 }, () => ({ id: uuid(random), kind: 'patient', args: { ms: 50 }, options: { queue } }) as const),
    ...Array.from({ length: 5 }, () => ({ id: uuid(random), kind: 'work', args: { ms: 5 }, options: { queue } }) as const),
  ])
  const child = field.runner({ queues: { [queue]: 4 }, graceMs: 1_000 })
  const { code, signal } = await child.exited
  if (code !== 1) field.books.violated('F13', `the process ended with ${code ?? signal}`)
  const error = (await field.client.find(id))?.error
  if (error?.code !== 'STRAY_ERROR') field.books.violated('F13', `the job failed with ${error?.code ?? 'nothing'}`)
}
