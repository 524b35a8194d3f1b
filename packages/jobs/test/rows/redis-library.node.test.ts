import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type JobClient,
  JobsError,
  kind,
  openClient,
  type RunnerOptions,
  sqliteStore,
  type Store,
  startRunner,
} from '../../src/index.ts'

// What a job library is for, on the embedded store, in the time of the machine: nothing here waits but for what is to happen.

let folder: string
const open: { close(): Promise<void> }[] = []
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'genstage-rows-'))))
afterEach(async () => {
  await Promise.all(open.splice(0).map(each => each.close()))
  rmSync(folder, { recursive: true, force: true })
})

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const store = (name: string = 'jobs.db'): Store => sqliteStore(join(folder, name))

function client(from: Store = store()): JobClient {
  const opened = openClient({ store: from, logger: quiet })
  open.push(opened)
  return opened
}

function runner(options: Pick<RunnerOptions, 'kinds'> & Partial<RunnerOptions>) {
  const started = startRunner({
    store: store(),
    queues: { default: 1 },
    signals: false,
    strayErrors: 'ignore',
    logger: quiet,
    ...options,
  })
  open.push(started)
  return started
}

const Hello = kind('hello', ({ name }: { readonly name: string }) => `Hello, ${name}!`)
const Fail = kind('fail', {
  maxAttempts: 1,
  handler: (why: string): never => {
    throw new Error(why)
  },
})

describe('a job library (ROW-R)', () => {
  it('ROW-R1 enqueue takes a queue, a worker and params, and answers the job', async () => {
    const jobs = client()
    const byKind = await jobs.enqueue(Hello, { name: 'Ada' }, { queue: 'greetings' })
    const byName = await jobs.enqueue('hello', { name: 'Grace' }, { queue: 'greetings' })
    expect([byKind.queue, byKind.kind, byKind.isNew]).toEqual(['greetings', 'hello', true])
    expect(await byName.find()).toMatchObject({ queue: 'greetings', kind: 'hello', args: { name: 'Grace' } })
  })

  it('ROW-R2 a job has params, worker, id, error, times of start and end', async () => {
    const jobs = runner({ kinds: [Fail] })
    const before = Date.now()
    const job = await jobs.enqueue(Fail, 'broken')
    await expect(job.result()).rejects.toMatchObject({ code: 'JOB_FAILED' })
    const found = await job.find()
    expect(found).toMatchObject({ id: job.id, kind: 'fail', args: 'broken', error: { message: 'broken' } })
    expect(found?.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/)
    expect(found?.startedAt).toBeGreaterThanOrEqual(before - 5)
    expect(found?.finishedAt).toBeGreaterThanOrEqual(found?.startedAt ?? Infinity)
  })

  it('ROW-R3 JOB-17 params are written and read as they were given', async () => {
    const args = { text: 'ü \u{1F600} "\\', numbers: [0, -0.5, 1e-300, -0], none: null, deep: { a: [[], {}] }, __proto__x: true }
    const job = await client().enqueue('any', args)
    expect((await job.find())?.args).toEqual(args)
  })

  it('ROW-R4 find looks in all queues, and says in which one the job is', async () => {
    const jobs = client()
    const ids = await Promise.all(['a', 'b', 'c'].map(queue => jobs.enqueue('any', queue, { queue })))
    for (const { id, queue } of ids) expect((await jobs.find(id))?.queue).toBe(queue)
    expect(await jobs.find('00000000-0000-4000-8000-000000000000')).toBeUndefined()
  })

  it('ROW-R5 remove takes a job away, or says that there is none', async () => {
    const jobs = client()
    const { id } = await jobs.enqueue('any')
    expect([await jobs.remove(id), await jobs.remove(id), await jobs.find(id)]).toEqual(['removed', 'missing', undefined])
  })

  it('ROW-R6 stats tell what was processed, what is scheduled and what has failed', async () => {
    const jobs = runner({ kinds: [Hello, Fail] })
    const done = [jobs.enqueue(Hello, { name: 'a' }), jobs.enqueue(Hello, { name: 'b' }), jobs.enqueue(Fail, 'x')]
    for (const job of await Promise.all(done)) await job.result().catch(() => {})
    await jobs.enqueue(Hello, { name: 'later' }, { delayMs: 60_000 })
    const { processed, failed, queues } = await jobs.stats()
    expect([processed, failed, queues['default']?.delayed]).toEqual([2, 1, 1])
  })

  it('ROW-R7 reserved names are refused, as queues of jobs and of runners', async () => {
    for (const queue of ['processed', 'failed']) {
      await expect(client(store(`${queue}.db`)).enqueue('any', 1, { queue })).rejects.toThrow(/reserved/)
      expect(() => runner({ kinds: [Hello], queues: { [queue]: 1 } })).toThrow(JobsError)
    }
  })

  it('ROW-R8 one at a time, first in first out; a job leaves its queue when its result is stored', async () => {
    const order: number[] = []
    const states: unknown[] = []
    const Step = kind('step', async (n: number, { id, client: own }) => {
      order.push(n)
      states.push((await own.find(id))?.state)
      return n * 10
    })
    const jobs = runner({ kinds: [Step] })
    const all = await jobs.enqueueMany(Step, [1, 2, 3, 4, 5])
    expect(await Promise.all(all.map(job => job.result()))).toEqual([10, 20, 30, 40, 50])
    expect([order, states]).toEqual([[1, 2, 3, 4, 5], Array.from({ length: 5 }, () => 'running')])
  })

  it('ROW-R9 an idle runner is woken by an enqueue, also from another connection, long before the next poll', async () => {
    const idle = runner({ kinds: [Hello], pollMs: 3_600_000 })
    await new Promise<void>(resolve => idle.events.once('idle', () => resolve()))
    const own = await idle.enqueue(Hello, { name: 'own' })
    expect(await own.result()).toBe('Hello, own!')
    const other = client()
    const job = await other.enqueue(Hello, { name: 'other' })
    expect(await job.result()).toBe('Hello, other!')
  }, 20_000)

  it('ROW-R10 jobs that were enqueued without a runner are processed when one starts', async () => {
    const before = client()
    const all = await before.enqueueMany(Hello, [{ name: 'a' }, { name: 'b' }])
    await before.close()
    const late = runner({ kinds: [Hello] })
    expect(await Promise.all(all.map(({ id }) => late.result(id)))).toEqual(['Hello, a!', 'Hello, b!'])
  })

  it('ROW-R11 all queues of a runner are served, then it stands by', async () => {
    const queues = { a: 1, b: 1, c: 1 }
    const jobs = runner({ kinds: [Hello], queues })
    const idle = new Set<string>()
    const standby = new Promise<void>(resolve =>
      jobs.events.on('idle', ({ queue }) => {
        idle.add(queue)
        if (idle.size === 3) resolve()
      }),
    )
    const all = await Promise.all(
      Object.keys(queues).flatMap(queue => [1, 2].map(n => jobs.enqueue(Hello, { name: `${queue}${n}` }, { queue }))),
    )
    expect((await Promise.all(all.map(job => job.result()))).length).toBe(6)
    await standby
  })

  it('ROW-R12 an exception fails the job with its message, and the next ones are processed', async () => {
    const jobs = runner({ kinds: [Hello, Fail] })
    const bad = await jobs.enqueue(Fail, 'no such file')
    const good = await jobs.enqueue(Hello, { name: 'next' })
    expect(await good.result()).toBe('Hello, next!')
    expect(await bad.find()).toMatchObject({ state: 'failed', error: { name: 'Error', message: 'no such file' } })
  })

  it('ROW-R13 with logJobs every start and end is a log line with the id and the milliseconds', async () => {
    const lines: string[] = []
    const jobs = runner({
      kinds: [Hello, Fail],
      logJobs: true,
      logger: {
        ...quiet,
        info: (message, fields) => lines.push(`info ${message} ${String(fields?.['job'])}`),
        error: (message, fields) => lines.push(`error ${message} ${String(fields?.['job'])}`),
      },
    })
    const good = await jobs.enqueue(Hello, { name: 'x' })
    await good.result()
    const bad = await jobs.enqueue(Fail, 'broken')
    await bad.result().catch(() => {})
    await jobs.stop()
    expect(lines.map(line => line.replace(/after \d+ ms/, 'after n ms'))).toEqual([
      `info job ${good.id} (hello) begins attempt 1 of 3 ${good.id}`,
      `info job ${good.id} (hello) is completed after n ms ${good.id}`,
      `info job ${bad.id} (fail) begins attempt 1 of 1 ${bad.id}`,
      expect.stringMatching(`^error job ${bad.id} \\(fail\\) failed in attempt 1 of 1: .*broken`),
    ])
  })

  it('ROW-R13 failures are log lines with the id in any case; start and end with its milliseconds are events', async () => {
    const lines: unknown[] = []
    const told: unknown[] = []
    const logger = { ...quiet, error: (message: string, fields?: object) => lines.push([message, fields]) }
    const jobs = runner({ kinds: [Hello, Fail], logger })
    jobs.events.on('started', ({ id }) => told.push(['started', id]))
    jobs.events.on('completed', ({ id, durationMs }) => told.push(['completed', id, durationMs >= 0]))
    const good = await jobs.enqueue(Hello, { name: 'x' })
    await good.result()
    const bad = await jobs.enqueue(Fail, 'broken')
    await bad.result().catch(() => {})
    await jobs.stop()
    expect(told).toEqual([['started', good.id], ['completed', good.id, true], ['started', bad.id]]) // prettier-ignore
    expect(lines).toEqual([[expect.stringContaining('broken'), expect.objectContaining({ job: bad.id, code: 'JOB_FAILED' })]])
  })

  it('ROW-R14 where the jobs live is an option: two files are two worlds', async () => {
    const [one, two] = [client(store('one.db')), client(store('two.db'))]
    const { id } = await one.enqueue('any')
    expect([(await one.find(id))?.id, await two.find(id)]).toEqual([id, undefined])
  })

  it('ROW-R16 queues can be listed, looked into, emptied and forgotten', async () => {
    const jobs = client()
    await jobs.enqueueMany(kind<number>('any'), [1, 2, 3], { queue: 'numbers' })
    await jobs.enqueue('any', 4, { queue: 'others' })
    expect(Object.keys((await jobs.stats()).queues).sort()).toEqual(['numbers', 'others'])
    const { jobs: newest } = await jobs.list({ queues: ['numbers'], limit: 1 })
    expect(newest.map(({ args }) => args)).toEqual([3])
    await expect(jobs.removeQueue('numbers')).rejects.toMatchObject({ code: 'QUEUE_NOT_EMPTY' })
    expect(await jobs.clearQueue('numbers')).toBe(3)
    await jobs.removeQueue('numbers')
    expect(await jobs.queueDepths()).toEqual({ others: 1 })
  })

  it('ROW-R17 without a runner nothing is processed: a test environment enqueues and looks', async () => {
    const jobs = client()
    await jobs.enqueue(Hello, { name: 'nobody' })
    const { jobs: waiting } = await jobs.list({ kinds: ['hello'], states: ['waiting'] })
    expect(waiting.map(({ args }) => args)).toEqual([{ name: 'nobody' }])
  })
})
