import { describe, expect, it } from 'vitest'
import { drivers, newJob, openStore } from './sqlite-files.ts'

const runner = { id: 'r', host: 'h', pid: 1, queues: [] }

describe.each(drivers)('what the contract leaves open, on %s', driver => {
  it('JOB-17 keeps texts apart that a driver would cut or replace', async () => {
    const { store } = await openStore({ driver })
    const keys = ['kind\0a', 'kind\0b', 'kind', '\ud800', '\ud801', "'; DROP TABLE jobs", '😀', '\u2028']
    const unique = (key: string) => ({ key, until: 'finished', conflict: 'keep' }) as const
    for (const key of keys) expect(await store.insert([newJob({ unique: unique(key) })])).toMatchObject([{ outcome: 'inserted' }])
    const { jobs } = await store.list({ limit: 100 })
    expect(jobs.map(({ uniqueKey }) => uniqueKey).toReversed()).toEqual(keys)

    await store.register(runner, 30_000)
    const { jobs: claimed } = await store.claim({ runner: 'r', queue: 'q', limit: 2, kinds: ['k'] })
    const [first, second] = claimed
    const message = 'a\0b \ud800 "quoted"'
    await store.report(claimed.slice(0, 1).map(job => ({ ...job, logs: [{ level: 'info', message, at: 1.5 }] })))
    expect(await store.logs(first?.id ?? '')).toEqual([{ level: 'info', message, at: 1.5 }])
    await store.cancel([second?.id ?? ''], message)
    expect(await store.cancellations('r')).toMatchObject([{ reason: message }])
    const failure = { name: 'Error', message, stack: message }
    await store.settle(claimed.slice(0, 1).map(job => ({ ...job, ranMs: 1, to: 'failed', failure })))
    expect((await store.find([first?.id ?? '']))[0]).toMatchObject({ failure, history: [{ failure }] })
  })

  it('finds tags whole, whatever is in them', async () => {
    const { store } = await openStore({ driver })
    const tags = ['a"b', 'a', '%', 'ab']
    for (const tag of tags) await store.insert([newJob({ tags: [tag, 'all'] })])
    for (const tag of tags) expect((await store.list({ limit: 9, tag })).jobs.map(job => job.tags[0])).toEqual([tag])
    expect((await store.list({ limit: 9, tag: 'all' })).jobs).toHaveLength(4)
  })

  it('JOB-12 gives the jobs of 300 kinds in the order of claims', async () => {
    const { store } = await openStore({ driver })
    const kinds = Array.from({ length: 300 }, (_, index) => `kind-${index}`)
    const order = (index: number): number => (index * 7_919) % 600
    const jobs = Array.from({ length: 600 }, (_, index) => newJob({ kind: `kind-${index % 300}`, priority: order(index) }))
    await store.insert(jobs)
    await store.register(runner, 30_000)
    const given: number[] = []
    for (const limit of [1, 7, 250, 250, 250]) {
      const { jobs: part } = await store.claim({ runner: 'r', queue: 'q', limit, kinds })
      given.push(...part.map(({ priority }) => priority))
    }
    expect(given).toEqual(Array.from({ length: 600 }, (_, index) => index))
  })

  it('F39 lets 5,000 jobs that are due at one moment come portion by portion, none twice', async () => {
    const { store, clock } = await openStore({ driver })
    await store.insert(Array.from({ length: 5_000 }, () => newJob({ delayMs: 100 })))
    await store.register(runner, 30_000)
    clock.advance(100)
    const seen = new Set<number>()
    for (let round = 0; round < 50; round++) {
      const claimed = await store.claim({ runner: 'r', queue: 'q', limit: 100, kinds: ['k'] })
      for (const { seq } of claimed.jobs) seen.add(seq)
      if (round < 39) expect(claimed.nextInMs ?? 0).toBeLessThanOrEqual(0)
    }
    expect(seen.size).toBe(5_000)
  })

  it('a clock that jumps to and fro ends no lease, and starts nothing early', async () => {
    const { store, clock } = await openStore({ driver })
    // The wall clock alone is moved: durations go by the monotonic one
    let jump = 0
    const wallTime = clock.wallTime.bind(clock)
    clock.wallTime = () => wallTime() + jump
    await store.register(runner, 30_000)
    await store.register({ ...runner, id: 'asking' }, 30_000)
    await store.insert([newJob()])
    expect((await store.claim({ runner: 'r', queue: 'q', limit: 1, kinds: ['k'] })).jobs).toHaveLength(1)
    for (const ms of [7_200_000, -7_200_000]) {
      jump = ms
      clock.advance(10_000)
      expect((await store.rescue({ runner: 'asking', crashLimit: 3, limit: 10 })).runners).toEqual([])
    }
    clock.advance(10_000)
    expect((await store.rescue({ runner: 'asking', crashLimit: 3, limit: 10 })).runners).toEqual(['r'])
  })

  it('forgets windows that are over', async () => {
    const { store, clock } = await openStore({ driver })
    const unique = { key: 'key', until: 1_000, conflict: 'keep' } as const
    await store.insert([newJob({ unique })])
    clock.advance(1_000)
    await store.prune({ olderThanMs: {}, limit: 10 })
    expect(await store.insert([newJob({ unique })])).toMatchObject([{ outcome: 'inserted' }])
  })

  it('backs up while it works, and replaces no file', async () => {
    const { store, path } = await openStore({ driver })
    await store.insert([newJob(), newJob()])
    const inserting = store.insert([newJob()])
    await store.backup(`${path}.copy`)
    await inserting
    await expect(store.backup(`${path}.copy`)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(store.backup(`${path}/nowhere/copy`)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const { store: copy } = await openStore({ driver, path: `${path}.copy` })
    expect((await copy.stats()).queues['q']?.waiting).toBe(3)
    expect(await copy.integrityCheck()).toEqual([])
  })

  it('tells what another handle has changed, as long as somebody listens', async () => {
    const { store, clock, path } = await openStore({ driver })
    const { store: other } = await openStore({ driver, path }, clock)
    const hints: string[] = []
    const stop = store.listen(({ type }) => void hints.push(type))
    clock.advance(100)
    await other.insert([newJob()])
    clock.advance(100)
    expect(hints).toEqual(['changed'])
    await store.insert([newJob()])
    clock.advance(500)
    expect(hints).toEqual(['changed', 'waiting'])
    stop()
    clock.advance(100)
    expect(clock.pending).toBe(0)
  })
})
