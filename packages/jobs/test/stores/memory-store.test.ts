import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { JobsError } from '../../src/errors.ts'
import type { Hint, NewJob, NewRunner, Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'
import { openMemory, silent } from './memory-under-test.ts'

describe('the contract of stores, kept by the memory store', () => {
  for (const { ids, name, run } of storeContract(openMemory)) it(`${ids.join(' ')} ${name}`, async () => run())
})

function job(n: number, fields: Partial<NewJob> = {}): NewJob {
  return { id: `job-${n}`, queue: 'q', kind: 'k', version: 1, args: '1', priority: 0, delayMs: 0, maxAttempts: 3, ...fields }
}

function runner(id: string): NewRunner {
  return { id, host: 'here', pid: 1, queues: [] }
}

function claimOf(id: string, limit: number = 100, kinds: readonly string[] = ['k']) {
  return { runner: id, queue: 'q', limit, kinds }
}

async function opened(): Promise<{ readonly store: Store; readonly clock: VirtualClock }> {
  const clock = new VirtualClock()
  const store = memoryStore()
  await store.open({ clock, logger: silent })
  return { store, clock }
}

describe('memoryStore', () => {
  it('ROW-R9 changes everything, and tells it, before the call returns', async () => {
    const { store } = await opened()
    await store.register(runner('a'), 1_000)
    const heard: string[] = []
    store.listen(({ type }) => heard.push(type))
    const inserted = store.insert([job(1), job(2)])
    expect(heard).toEqual(['waiting'])
    const claimed = store.claim(claimOf('a'))
    expect((await claimed).jobs).toHaveLength(2)
    expect(await inserted).toHaveLength(2)
  })

  it('ROW-R9 a listener may call the store at once', async () => {
    const { store } = await opened()
    await store.register(runner('a'), 1_000)
    const claims: Promise<number>[] = []
    store.listen(({ type }) => {
      if (type === 'waiting') claims.push(store.claim(claimOf('a')).then(({ jobs }) => jobs.length))
    })
    await store.insert([job(1)])
    expect(await Promise.all(claims)).toEqual([1])
  })

  it('JOB-3 tells of a delayed job only when it is the next of its queue, so that who sleeps wakes in time', async () => {
    const { store } = await opened()
    const heard: Hint[] = []
    store.listen(hint => heard.push(hint))
    await store.insert([job(1, { delayMs: 500 })])
    await store.insert([job(2, { delayMs: 900 })])
    await store.insert([job(3, { delayMs: 100 })])
    expect(heard).toEqual([
      { type: 'waiting', queue: 'q' },
      { type: 'waiting', queue: 'q' },
    ])
  })

  it.each([-7_200_000, 7_200_000, 1e12])('F34 a jump of the date by %d ms ends no lease and prolongs none', async ms => {
    const { store, clock } = await opened()
    await store.register(runner('a'), 1_000)
    await store.register(runner('b'), 1_000)
    await store.insert([job(1)])
    await store.claim(claimOf('a'))
    clock.jumpWallTime(ms)
    expect((await store.rescue({ runner: 'b', crashLimit: 3, limit: 9 })).runners).toEqual([])
    clock.advance(999)
    expect((await store.rescue({ runner: 'b', crashLimit: 3, limit: 9 })).runners).toEqual([])
    clock.advance(1)
    expect((await store.rescue({ runner: 'b', crashLimit: 3, limit: 9 })).runners).toEqual(['a'])
  })

  it('F34 what waits goes on waiting when the date jumps back', async () => {
    const { store, clock } = await opened()
    await store.register(runner('a'), 1e9)
    await store.insert([job(1), job(2, { delayMs: 10 })])
    const { jobs } = await store.claim(claimOf('a', 1))
    clock.jumpWallTime(-3_600_000)
    await store.settle(jobs.map(({ seq, token }) => ({ seq, token, ranMs: 0, to: 'release' })))
    expect((await store.claim(claimOf('a'))).jobs.map(({ id }) => id)).toEqual(['job-1'])
  })

  it('JOB-1 a runner that registers again under its id has given up what it held', async () => {
    const { store } = await opened()
    await store.register(runner('a'), 1_000)
    await store.insert([job(1)])
    const { jobs } = await store.claim(claimOf('a'))
    await store.register(runner('a'), 1_000)
    const rescued = await store.rescue({ runner: 'a', crashLimit: 3, limit: 9 })
    expect([rescued.runners, rescued.jobs.map(({ state }) => state)]).toEqual([[], ['waiting']])
    expect(await store.begin(jobs)).toEqual([false])
  })

  it('ROW-R15 refuses calls while it is not open, and keeps its jobs for when it is opened again', async () => {
    const { store, clock } = await opened()
    await store.insert([job(1)])
    await store.close()
    await store.close()
    await expect(store.stats()).rejects.toThrow(JobsError)
    await expect(store.insert([job(2)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await store.open({ clock, logger: silent })
    expect((await store.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual(['job-1'])
  })

  it('JOB-17 what is changed in an object that was handed in changes nothing stored', async () => {
    const { store } = await opened()
    const tags = ['a']
    await store.insert([job(1, { tags })])
    tags.push('b')
    expect((await store.find(['job-1']))[0]?.tags).toEqual(['a'])
  })

  it('JOB-10 works through ten thousand windows and forgets those that are over', async () => {
    const { store, clock } = await opened()
    for (let n = 0; n < 10_000; n++) {
      const unique = { key: `key ${n % 5_000}`, until: 100, conflict: 'keep' } as const
      const [answer] = await store.insert([job(n, { unique })])
      expect(answer?.outcome).toBe('inserted')
      clock.advance(1)
    }
  })

  it('JOB-14 lists what is left, in order, after most jobs were removed', async () => {
    const { store } = await opened()
    const ids = Array.from({ length: 2_000 }, (_, n) => `job-${n}`)
    await store.insert(ids.map((_, n) => job(n)))
    const left = ids.filter((_, n) => n % 7 === 3)
    await store.remove(ids.filter(id => !left.includes(id)))
    await store.insert([job(9_999)])
    const first = await store.list({ limit: 100 })
    const second = await store.list({ limit: 999, before: first.next })
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(['job-9999', ...left.toReversed()])
  })

  it('F39 JOB-19 claims as many of 100,000 jobs as of few, also behind 100,000 of kinds that the runner lacks', async () => {
    const { store, clock } = await opened()
    await store.register(runner('a'), 1e9)
    const jobs = (from: number, fields: Partial<NewJob>): readonly NewJob[] =>
      Array.from({ length: 100_000 }, (_, n) => job(from + n, fields))
    await store.insert(jobs(0, { kind: 'foreign', priority: -1 }))
    await store.insert(jobs(100_000, {}))
    await store.insert(jobs(200_000, { delayMs: 5 }))
    for (let round = 0; round < 100; round++) {
      const claimed = await store.claim(claimOf('a', 100))
      expect(claimed.jobs[0]?.id).toBe(`job-${100_000 + round * 100}`)
    }
    clock.advance(5)
    const { queues } = await store.stats()
    expect(queues['q']).toMatchObject({ delayed: 0, waiting: 290_000, running: 10_000 })
  })
})
