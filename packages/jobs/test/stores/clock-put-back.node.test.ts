/** What stores keep and remove when the date was put back. */
import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { newJob, quiet } from './sqlite-files.ts'

const hourMs = 3_600_000

/** An open store on a clock whose date can be moved alone. */
async function openOn(store: Store): Promise<{ readonly clock: VirtualClock; jump(ms: number): void }> {
  const clock = new VirtualClock()
  const wallTime = clock.wallTime.bind(clock)
  let jumped = 0
  clock.wallTime = () => wallTime() + jumped
  await store.open({ clock, logger: quiet })
  await store.register({ id: 'r', host: 'h', pid: 1, queues: [] }, 1e9)
  return { clock, jump: ms => void (jumped += ms) }
}

/** Lets jobs be completed, one each millisecond. Answers their ids. */
async function completed(store: Store, clock: VirtualClock, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    await store.insert([newJob()])
    const { jobs } = await store.claim({ runner: 'r', queue: 'q', limit: 1, kinds: ['k'] })
    await store.settle(jobs.map(({ seq, token }) => ({ seq, token, ranMs: 1, to: 'completed' })))
    ids.push(...jobs.map(({ id }) => id))
    clock.advance(1)
  }
  return ids
}

const stores = { memory: memoryStore, sqlite: () => sqliteStore(':memory:') } as const

describe.each(['memory', 'sqlite'] as const)('a date that is put back, with the %s store', name => {
  it('JOB-14 the newest are kept, which ended after it', async () => {
    const store = stores[name]()
    const { clock, jump } = await openOn(store)
    const before = await completed(store, clock, 5)
    jump(-2 * hourMs)
    const after = await completed(store, clock, 5)
    const left = async (): Promise<readonly string[]> => (await store.list({ limit: 99 })).jobs.map(({ id }) => id).toReversed()
    expect(await store.prune({ olderThanMs: {}, keep: { completed: 8 }, limit: 1 })).toBe(1)
    expect(await left()).toEqual([...before.slice(1), ...after])
    expect(await store.prune({ olderThanMs: {}, keep: { completed: 8 }, limit: 99 })).toBe(1)
    expect(await store.prune({ olderThanMs: {}, keep: { completed: 5 }, limit: 99 })).toBe(3)
    expect(await left()).toEqual(after)
    expect(await store.prune({ olderThanMs: {}, keep: { completed: 2 }, limit: 99 })).toBe(3)
    expect(await left()).toEqual(after.slice(3))
    await store.close()
  })
})
