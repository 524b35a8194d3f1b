import { describe, expect, it } from 'vitest'
import { memoryStore, openClient, startRunner, kind } from '../../src/index.ts'
import { faultyStore, oneFault } from '../../src/testing/faulty-store.ts'
import { Simulation } from '@genstage/testing'

/** One program, with a fault at one of its calls of the store. */
async function run(nth: number, when: 'before' | 'after') {
  const simulation = new Simulation({ seed: nth })
  const { runtime } = simulation
  const inner = memoryStore()
  const fault = oneFault({ nth, when })
  const runs = new Map<string, number>()
  const ends = new Map<string, number>()
  const Work = kind('work', {
    backoff: () => 50,
    handler: async (n: number, { id, attempt, progress, log }) => {
      runs.set(id, (runs.get(id) ?? 0) + 1)
      progress(n)
      log('begun')
      await simulation.delay(n)
      if (n === 20 && attempt === 1) throw new Error('once')
      return n
    },
  })
  const before = openClient({ store: inner, runtime })
  const enqueued = before.enqueueMany(Work, [0, 10, 20, 300, 0])
  await simulation.settle()
  const jobs = await enqueued
  await before.close()
  const options = {
    kinds: [Work],
    queues: { default: 2 },
    runtime,
    signals: false,
    strayErrors: 'ignore',
    leaseMs: 2_000,
  } as const
  const runner = startRunner({
    store: faultyStore(inner, fault),
    ...options,
    sweepMs: 500,
    pollMs: 300,
    retention: { completedMs: 1e6 },
  })
  runner.events.on('completed', ({ id }) => void ends.set(id, (ends.get(id) ?? 0) + 1))
  const ready = runner.ready.then(
    () => true,
    () => false,
  )
  await simulation.advance(12_000)
  const stopped = runner.stop()
  await simulation.advance(20_000)
  await stopped
  const { timers } = simulation
  const after = openClient({ store: inner, runtime })
  const found = await Promise.all(jobs.map(({ id }) => after.find(id)))
  await after.close()
  return { isReady: await ready, found, runs, ends, fault, timers }
}

describe('one call of the store fails', () => {
  it.each(['before', 'after'] as const)(
    'JOB-1 JOB-5 F3 F5 %s it is carried out, whichever call that is: every job is completed, once, and nothing is left',
    async when => {
      let calls = 0
      for (let nth = 1; ; nth++) {
        const { isReady, found, runs, ends, fault, timers } = await run(nth, when)
        expect([nth, timers]).toEqual([nth, 0])
        if (!fault.hasHappened) break
        calls = nth
        // Without a store there is no start, and `ready` says so
        if (!isReady) continue
        expect([nth, found.map(job => job?.state)]).toEqual([nth, found.map(() => 'completed')])
        for (const job of found) {
          expect([nth, job?.args, runs.get(job?.id ?? '')]).toEqual([nth, job?.args, job?.args === 20 ? 2 : 1])
          expect(ends.get(job?.id ?? '') ?? 0).toBeLessThanOrEqual(1)
          expect(job?.crashes).toBe(0)
          // A report that fails is given up
          expect([job?.args, undefined]).toContain(job?.progress)
        }
      }
      expect(calls).toBeGreaterThan(60)
    },
    60_000,
  )
})

describe('F37 a stop', () => {
  it('JOB-9 at whatever call of the store it comes: nothing is left, and no attempt and no crash is counted', async () => {
    let calls = 0
    for (let nth = 1; ; nth++) {
      const simulation = new Simulation({ seed: nth })
      const { runtime } = simulation
      const inner = memoryStore()
      const Work = kind('work', async (ms: number, { progress, signal }) => {
        progress(ms)
        await Promise.race([
          simulation.delay(ms),
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        ])
      })
      let stopped: Promise<void> | undefined
      const store = faultyStore(inner, {
        before: ({ index }) => {
          if (index === nth) queueMicrotask(() => (stopped = runner.stop({ graceMs: 30 })))
        },
      })
      const runner = startRunner({
        store,
        kinds: [Work],
        queues: { a: 2, b: 1 },
        runtime,
        signals: false,
        strayErrors: 'ignore',
        sweepMs: 100,
      })
      for (const queue of ['a', 'b']) runner.enqueueMany(Work, [5, 20, 200, 5], { queue }).catch(() => {})
      await simulation.advance(2_000)
      if (stopped === undefined) break
      calls = nth
      await stopped
      expect([nth, simulation.timers]).toEqual([nth, 0])
      const after = openClient({ store: inner, runtime })
      const { jobs } = await after.list()
      for (const job of jobs) {
        expect(['completed', 'waiting']).toContain(job.state)
        expect([nth, job.attempt, job.crashes, job.history]).toEqual([nth, job.state === 'completed' ? 1 : 0, 0, []])
      }
      expect(await after.runners()).toEqual([])
      await after.close()
    }
    expect(calls).toBeGreaterThan(30)
  }, 60_000)
})

describe('a call of the store that is never answered', () => {
  it.each(['before', 'after'] as const)(
    'JOB-9 %s it is carried out, whichever call that is: the runner stops all the same, and leaves nothing behind',
    async when => {
      let told = 0
      for (let nth = 1; ; nth++) {
        const simulation = new Simulation({ seed: nth })
        const { runtime } = simulation
        const fault = oneFault({ nth, when, answer: 'hang' })
        const Work = kind('work', async (ms: number, { progress }) => {
          progress(ms)
          await simulation.delay(ms)
        })
        const runner = startRunner({
          store: faultyStore(memoryStore(), fault),
          kinds: [Work],
          queues: { a: 2, b: 1 },
          runtime,
          signals: false,
          strayErrors: 'ignore',
          sweepMs: 100,
          leaseMs: 2_000,
        })
        for (const queue of ['a', 'b']) runner.enqueueMany(Work, [5, 20, 200, 5], { queue }).catch(() => {})
        await simulation.advance(2_000)
        let isStopped = false
        void runner.stop({ graceMs: 0 }).then(() => (isStopped = true))
        // The start, the writing of what is left, the closing: each has `abandonMs`
        await simulation.advance(20_000)
        expect([nth, isStopped, simulation.timers, simulation.uncaught]).toEqual([nth, true, 0, []])
        if (!fault.hasHappened) break
        told += simulation.log.some(({ message }) => message.includes('has not answered for 5000 ms')) ? 1 : 0
      }
      expect(told).toBeGreaterThan(5)
    },
    60_000,
  )
})

describe('F34 the date jumps', () => {
  it.each([7_200_000, -7_200_000])('by %i ms: leases, heartbeats, polls and time limits know nothing of it', async jump => {
    const simulation = new Simulation()
    const { runtime, clock } = simulation
    const store = memoryStore()
    const runs: number[] = []
    const Work = kind('work', async (n: number) => {
      runs.push(n)
      await simulation.delay(40_000)
      return n
    })
    const runner = startRunner({ store, kinds: [Work], queues: { default: 3 }, runtime, signals: false, strayErrors: 'ignore' })
    const other = startRunner({ store, kinds: [Work], queues: { default: 3 }, runtime, signals: false, strayErrors: 'ignore' })
    void runner.enqueueMany(Work, [1, 2, 3])
    await simulation.advance(5_000)
    const { id } = runner
    clock.jumpWallTime(jump)
    await simulation.advance(60_000)
    expect([runner.id, runs]).toEqual([id, [1, 2, 3]])
    const stats = runner.stats()
    const late = runner.enqueue(Work, 4, { delayMs: 1_000 })
    await simulation.advance(900)
    expect(runs).toEqual([1, 2, 3])
    await simulation.advance(100)
    expect(runs).toEqual([1, 2, 3, 4])
    expect([(await stats).processed, (await late).isNew]).toEqual([3, true])
    const stopped = Promise.all([runner.stop({ graceMs: 0 }), other.stop()])
    await simulation.advance(10_000)
    await stopped
  })
})
