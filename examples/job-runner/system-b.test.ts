/** System B: a job runner on a database. Each capability on SQLite, by its number; what is for later work is told in README.md. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRuntime } from '@genstage/core'
import { discard, fixed, kind, linear, openClient, sqliteStore, startRunner } from '@genstage/jobs'
import type { JobClient, JobRunner, RunnerOptions } from '@genstage/jobs'
import { Simulation } from '@genstage/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const opened: { close(): Promise<void> }[] = []
let folder = ''
let path = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'system-b-'))
  path = join(folder, 'jobs.db')
})
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
  await rm(folder, { recursive: true })
})

/** As from another process: with a store and a runtime of its own on the same file. */
function client(): JobClient {
  const one = openClient({ store: sqliteStore(path), runtime: createRuntime({ logger }) })
  opened.push(one)
  return one
}

function runner(options: Omit<RunnerOptions, 'store'>): JobRunner {
  const one = startRunner({
    store: sqliteStore(path),
    runtime: createRuntime({ logger }),
    signals: false,
    strayErrors: 'ignore',
    ...options,
  })
  opened.push(one)
  return one
}

/** Resolves with the next event of that name. */
function next(of: JobClient, name: 'completed' | 'failed' | 'discarded' | 'idle' | 'rescued'): Promise<unknown> {
  return new Promise(resolve => of.events.once(name, event => resolve(event)))
}

const Add = kind('add', ({ a, b }: { readonly a: number; readonly b: number }) => a + b)

describe('SYS-B1 a job is a row with all that is known of it', () => {
  test('SYS-B1 state, payload, attempts, times and result, after the end and after a restart', async () => {
    const one = runner({ kinds: [Add], queues: { default: 1 } })
    const job = await one.enqueue(Add, { a: 1, b: 2 }, { maxAttempts: 5, tags: ['sum'] })
    expect(await job.result()).toBe(3)
    await one.stop()

    const stored = await client().find(job.id)
    expect(stored).toMatchObject({
      state: 'completed',
      args: { a: 1, b: 2 },
      attempt: 1,
      maxAttempts: 5,
      result: 3,
      tags: ['sum'],
      error: undefined,
      runner: one.id,
    })
    const { enqueuedAt, runAt, startedAt = 0, finishedAt = 0 } = stored ?? { enqueuedAt: 0, runAt: 0 }
    expect(enqueuedAt).toBeGreaterThan(Date.UTC(2020))
    expect([runAt >= enqueuedAt, finishedAt >= startedAt]).toEqual([true, true])
  })

  test('SYS-B1 the file knows the version of its schema, and is whole', async () => {
    const store = sqliteStore(path)
    const one = openClient({ store })
    opened.push(one)
    await one.enqueue(Add, { a: 1, b: 2 })
    expect(store.schemaVersion).toBe(1)
    expect(await store.integrityCheck()).toEqual([])
  })

  test('SYS-B1 a claim beside a long queue takes less than a second', async () => {
    const one = client()
    const args = Array.from({ length: 20_000 }, (_, n) => ({ a: n, b: 1 }))
    await one.enqueueMany(Add, args, { queue: 'other' })
    await one.enqueueMany(Add, args.slice(0, 200), { delayMs: 3_600_000 })
    const job = await one.enqueue(Add, { a: 40, b: 2 })
    const working = runner({ kinds: [Add], queues: { default: 1 } })
    const started = performance.now()
    expect(await working.result(job.id)).toBe(42)
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(await one.queueDepths()).toEqual({ default: 200, other: 20_000 })
  })
})

describe('SYS-B2 payloads are data', () => {
  test('SYS-B2 a handler is named, with args and options; what comes out of the store is never run', async () => {
    const calls: unknown[] = []
    const Note = kind('note', (args: { readonly text: string }, { queue, maxAttempts }) => {
      calls.push([args, queue, maxAttempts])
    })
    const text = "process.exit(1); require('fs'); ${evil} <script>"
    const far = await client().enqueue('note', { text }, { maxAttempts: 2 })
    const one = runner({ kinds: [Note], queues: { default: 1 } })
    await one.result(far.id)
    expect(calls).toEqual([[{ text }, 'default', 2]])
  })

  test('SYS-B2 what is no data is refused at the call', async () => {
    const one = client()
    for (const args of [() => 1, { run: () => 1 }, { at: new Date() }, new Map()])
      await expect(Promise.resolve().then(() => one.enqueue('note', args))).rejects.toMatchObject({ code: 'BAD_PAYLOAD' })
    expect((await one.stats()).queues).toEqual({})
  })

  test('SYS-B2 a kind that no handler is known for waits for a runner that knows one', async () => {
    const one = client()
    const strange = await one.enqueue('strange', { n: 1 })
    const sum = await one.enqueue(Add, { a: 1, b: 1 })
    const first = runner({ kinds: [Add], queues: { default: 2 } })
    await first.result(sum.id)
    expect((await one.find(strange.id))?.state).toBe('waiting')
    const Strange = kind('strange', ({ n }: { readonly n: number }) => n)
    const second = runner({ kinds: [Strange], queues: { default: 1 } })
    expect(await second.result(strange.id)).toBe(1)
  })
})

describe('SYS-B3 demand becomes one claim', () => {
  test('SYS-B3 two runners on one file: every job once, both have worked', async () => {
    const jobs = 400
    const done: [job: number, by: string][] = []
    const counting = (by: string) =>
      kind('count', async ({ n }: { readonly n: number }) => {
        await new Promise(resolve => setImmediate(resolve))
        done.push([n, by])
      })
    const one = client()
    const args = Array.from({ length: jobs }, (_, n) => ({ n }))
    const enqueued = await one.enqueueMany(counting('nobody'), args)
    const queues = { default: { concurrency: 4, prefetchMs: 0 } }
    const [left, right] = ['left', 'right'].map(by => runner({ kinds: [counting(by)], queues, pollMs: 20 }))
    await Promise.all([left?.ready, right?.ready])
    await Promise.all(enqueued.map(job => job.result()))
    expect(done.map(([n]) => n).sort((a, b) => a - b)).toEqual(args.map(({ n }) => n))
    expect(new Set(done.map(([, by]) => by))).toEqual(new Set(['left', 'right']))
  })

  test('SYS-B3 no more is claimed than there are places for', async () => {
    let release = (): void => {}
    const gate = new Promise<void>(resolve => (release = resolve))
    const Wait = kind('wait', () => gate)
    const one = client()
    const jobs = await one.enqueueMany(Wait, Array.from({ length: 10 }))
    const two = runner({ kinds: [Wait], queues: { default: { concurrency: 3, prefetchMs: 0 } } })
    let started = 0
    await new Promise<void>(resolve => two.events.on('started', () => ++started === 3 && resolve()))
    expect((await one.stats()).queues['default']).toMatchObject({ running: 3, waiting: 7 })
    release()
    await Promise.all(jobs.map(job => job.result()))
    expect(started).toBe(10)
  })
})

describe('SYS-B4 wake-up', () => {
  test('SYS-B4 a job that another process enqueues wakes an idle runner: long before it would have looked by itself', async () => {
    const one = runner({ kinds: [Add], queues: { default: 1 }, pollMs: 3_600_000 })
    await next(one, 'idle')
    const job = await client().enqueue(Add, { a: 2, b: 2 })
    expect(await one.result(job.id, { timeoutMs: 5_000 })).toBe(4)
  })

  test('SYS-B4 polling is the net under it: without any hint the job is found', async () => {
    const store = sqliteStore(path)
    const deaf = new Proxy(store, {
      get(target, property) {
        if (property === 'listen') return () => () => {}
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const one = startRunner({ store: deaf, kinds: [Add], queues: { default: 1 }, pollMs: 20, signals: false, logger })
    opened.push(one)
    await next(one, 'idle')
    const job = await client().enqueue(Add, { a: 2, b: 3 })
    await next(one, 'completed')
    expect((await one.find(job.id))?.result).toBe(5)
  })
})

describe('SYS-B5 how a job ends', () => {
  test('SYS-B5 a failure is kept with its stack and tried again after a back-off, until the attempts are used up', async () => {
    const times: number[] = []
    const Fail = kind('fail', {
      maxAttempts: 3,
      backoff: linear(20),
      handler: () => {
        times.push(performance.now())
        throw new TypeError('no such thing')
      },
    })
    const one = runner({ kinds: [Fail], queues: { default: 1 }, pollMs: 20 })
    const job = await one.enqueue(Fail)
    await expect(job.result()).rejects.toMatchObject({ code: 'JOB_FAILED' })
    const stored = await job.find()
    expect(stored).toMatchObject({ state: 'failed', attempt: 3, error: { name: 'TypeError', message: 'no such thing' } })
    expect(stored?.error?.stack).toContain('system-b.test.ts')
    expect(stored?.history.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'failed'],
    ])
    const [first = 0, second = 0, third = 0] = times
    expect(second - first).toBeGreaterThanOrEqual(19)
    expect(third - second).toBeGreaterThanOrEqual(39)
  })

  test('SYS-B5 one that succeeds in a later attempt is completed, and its failures stay in its history', async () => {
    const Try = kind('try', {
      backoff: fixed(1),
      handler: (_: void, { attempt }) => {
        if (attempt < 3) throw new Error(`attempt ${attempt}`)
        return 'at last'
      },
    })
    const one = runner({ kinds: [Try], queues: { default: 1 }, pollMs: 20 })
    const job = await one.enqueue(Try)
    expect(await job.result()).toBe('at last')
    expect(await job.find()).toMatchObject({ state: 'completed', history: [{ attempt: 1 }, { attempt: 2 }] })
  })
})

describe('SYS-B6 delayed jobs', () => {
  test('SYS-B6 a job that is enqueued for later runs then, and not before; in virtual time', async () => {
    const simulation = new Simulation()
    const { runtime, clock } = simulation
    const ranAt: number[] = []
    const Later = kind('later', () => void ranAt.push(clock.now()))
    const one = startRunner({ store: sqliteStore(path), runtime, kinds: [Later], queues: { default: 1 }, signals: false })
    // The file is opened in real time
    await one.ready
    const { id } = await one.enqueue(Later, undefined, { delayMs: 60_000 })
    await simulation.advance(59_000)
    expect((await one.find(id))?.state).toBe('delayed')
    expect(ranAt).toEqual([])
    await simulation.advance(2_000)
    expect(ranAt).toEqual([60_000])
    const stopped = one.stop()
    await simulation.advance(100)
    await stopped
  })

  test('SYS-B6 it outlives its client, and may be run now', async () => {
    const first = openClient({ store: sqliteStore(path) })
    const job = await first.enqueue(Add, { a: 1, b: 1 }, { runAt: new Date(Date.now() + 3_600_000) })
    await first.close()
    const one = runner({ kinds: [Add], queues: { default: 1 } })
    await next(one, 'idle')
    expect((await one.find(job.id))?.state).toBe('delayed')
    expect(await one.runNow(job.id)).toBe('rescheduled')
    expect(await one.result(job.id)).toBe(2)
  })
})

test('SYS-B7 each queue has its own consumers: one that is stuck holds up no other', async () => {
  let release = (): void => {}
  const gate = new Promise<void>(resolve => (release = resolve))
  const most = new Map<string, number>()
  const running = new Map<string, number>()
  const Work = kind('work', async (_: { readonly n: number }, { queue }) => {
    const now = (running.get(queue) ?? 0) + 1
    running.set(queue, now)
    most.set(queue, Math.max(now, most.get(queue) ?? 0))
    await (queue === 'mail' ? gate : new Promise(resolve => setImmediate(resolve)))
    running.set(queue, (running.get(queue) ?? 0) - 1)
  })
  const one = runner({ kinds: [Work], queues: { mail: 2, images: 5 } })
  const args = Array.from({ length: 20 }, (_, n) => ({ n }))
  const mails = await one.enqueueMany(Work, args, { queue: 'mail' })
  const images = await one.enqueueMany(Work, args, { queue: 'images' })
  await Promise.all(images.map(job => job.result()))
  expect((await one.stats()).queues).toMatchObject({ mail: { completed: 0 }, images: { completed: 20 } })
  one.queue('mail').resize(4)
  await expect.poll(() => one.queue('mail').running).toBe(4)
  release()
  await Promise.all(mails.map(job => job.result()))
  expect(Object.fromEntries(most)).toEqual({ mail: 4, images: 5 })
})

test('SYS-B9 the registry tells who works, on which queue, since when, how much; who stops leaves it', async () => {
  const one = runner({ kinds: [Add], queues: { default: 3 }, name: 'words', metadata: { version: 7 }, heartbeatMs: 20 })
  const other = runner({ kinds: [Add], queues: { mail: 1 } })
  await Promise.all([one.ready, other.ready])
  await Promise.all([1, 2].map(async n => (await one.enqueue(Add, { a: n, b: n })).result()))
  const look = client()
  await expect.poll(async () => (await look.runners('default'))[0]?.queues[0]?.processed).toBe(2)
  const [found] = await look.runners('default')
  expect(found).toMatchObject({
    id: one.id,
    name: 'words',
    pid: process.pid,
    queues: [{ name: 'default', concurrency: 3, running: 0, processed: 2 }],
    metadata: { version: 7 },
  })
  expect(found?.startedAt).toBeLessThanOrEqual(Date.now())
  expect(found?.queues[0]?.lastJobAt).toBeLessThanOrEqual(Date.now())
  expect(await look.runners()).toHaveLength(2)
  await one.stop()
  expect((await look.runners()).map(({ id }) => id)).toEqual([other.id])
})

describe('SYS-B11 jobs that were given up', () => {
  const Broken = kind('broken', {
    maxAttempts: 2,
    backoff: fixed(1),
    handler: ({ fatal }: { readonly fatal: boolean }, { attempt }) => {
      if (fatal) return discard('no such customer')
      throw new RangeError(`attempt ${attempt} went wrong`)
    },
  })

  test('SYS-B11 are found with their last error and the history of their attempts', async () => {
    const one = runner({ kinds: [Broken], queues: { default: 1 }, pollMs: 20 })
    const [failing, fatal] = await one.enqueueMany(Broken, [{ fatal: false }, { fatal: true }])
    await expect(failing?.result()).rejects.toMatchObject({ code: 'JOB_FAILED' })
    await expect(fatal?.result()).rejects.toMatchObject({ code: 'JOB_DISCARDED' })
    const { jobs } = await client().list({ states: ['failed', 'discarded'] })
    const found = jobs.find(({ id }) => id === failing?.id)
    expect(found?.error?.message).toBe('attempt 2 went wrong')
    expect(found?.history.map(({ failure }) => failure?.message)).toEqual(['attempt 1 went wrong', 'attempt 2 went wrong'])
    expect(jobs.find(({ id }) => id === fatal?.id)?.error?.message).toBe('no such customer')
  })

  test('SYS-B11 may be tried again, with all attempts ahead of them, or removed', async () => {
    const one = runner({ kinds: [Broken], queues: { default: 1 }, pollMs: 20 })
    const [again, away] = await one.enqueueMany(Broken, [{ fatal: false }, { fatal: false }])
    await Promise.allSettled([again?.result(), away?.result()])
    await one.stop()

    const Repaired = kind('broken', (_: { readonly fatal: boolean }, { attempt }) => `repaired in attempt ${attempt}`)
    const two = runner({ kinds: [Repaired], queues: { default: 1 } })
    expect(await two.retry(again?.id ?? '')).toBe('retried')
    expect(await two.result(again?.id ?? '')).toBe('repaired in attempt 1')
    expect((await two.find(again?.id ?? ''))?.history).toHaveLength(2)
    expect(await two.remove(away?.id ?? '')).toBe('removed')
    expect(await two.find(away?.id ?? '')).toBeUndefined()
  })
})

test('SYS-B12 events tell of start, end and failure; times and counts are per queue and kind', async () => {
  const told: unknown[] = []
  const Flaky = kind('flaky', {
    queue: 'mail',
    backoff: fixed(1),
    handler: (_: void, { attempt }) => {
      if (attempt === 1) throw new Error('once')
      return 'fine'
    },
  })
  const one = runner({ kinds: [Flaky], queues: { mail: 1 }, pollMs: 20 })
  const durations: number[] = []
  one.events.on('enqueued', ({ kind: name, queue }) => told.push(['enqueued', name, queue]))
  one.events.on('started', ({ attempt }) => told.push(['started', attempt]))
  one.events.on('failed', ({ attempt, failure, state, durationMs }) => {
    told.push(['failed', attempt, failure.message, state])
    durations.push(durationMs)
  })
  one.events.on('completed', ({ attempt, result, durationMs }) => {
    told.push(['completed', attempt, result])
    durations.push(durationMs)
  })
  const ended = next(one, 'completed')
  await one.enqueue(Flaky)
  await ended
  expect(told).toEqual([
    ['enqueued', 'flaky', 'mail'],
    ['started', 1],
    ['failed', 1, 'once', 'delayed'],
    ['started', 2],
    ['completed', 2, 'fine'],
  ])
  expect(durations.every(ms => ms >= 0 && ms < 1_000)).toBe(true)
  expect(await one.queueDepth('mail')).toBe(0)
  expect(await one.stats()).toMatchObject({ processed: 1, failed: 0, queues: { mail: { completed: 1 } } })
})
