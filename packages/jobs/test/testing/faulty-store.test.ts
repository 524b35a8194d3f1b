import { memoryStore, openClient, type Store } from '@genstage/jobs'
import type { Hint } from '@genstage/jobs/store'
import { faultyStore, oneFault, storeFault } from '@genstage/jobs/testing'
import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const job = (nth: number) => ({
  id: `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`,
  queue: 'q',
  kind: 'k',
  version: 1,
  args: '{}',
  priority: 0,
  delayMs: 0,
  maxAttempts: 1,
})

async function opened(store: Store, clock: VirtualClock = new VirtualClock()): Promise<Store> {
  await store.open({ clock, logger })
  return store
}

describe('faultyStore', () => {
  it('passes everything on where nothing is planned', async () => {
    const inner = memoryStore()
    const store = await opened(faultyStore(inner, {}))
    expect(await store.insert([job(1)])).toEqual([{ id: job(1).id, outcome: 'inserted' }])
    expect((await inner.find([job(1).id]))[0]?.state).toBe('waiting')
    expect('startHeart' in store).toBe('startHeart' in inner)
    await store.close()
    await expect(inner.stats()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('F6 throws before a call, which does nothing, or after it, which has done all', async () => {
    const store = await opened(faultyStore(memoryStore(), oneFault({ method: 'insert', nth: 1 })))
    await expect(store.insert([job(1)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await store.find([job(1).id])).toEqual([undefined])
    const late = await opened(
      faultyStore(memoryStore(), oneFault({ method: 'insert', nth: 1, when: 'after', answer: 'STORE_BUSY' })),
    )
    await expect(late.insert([job(1)])).rejects.toMatchObject({ code: 'STORE_BUSY' })
    expect((await late.find([job(1).id]))[0]?.state).toBe('waiting')
    expect(await late.insert([job(1)])).toEqual([{ id: job(1).id, outcome: 'duplicate' }])
  })

  it('delays calls by the clock of the store, and never answers some', async () => {
    const clock = new VirtualClock()
    const store = await opened(
      faultyStore(memoryStore(), { before: call => (call.method === 'stats' ? call.delay(100) : undefined) }),
      clock,
    )
    let isAnswered = false
    const answer = store.stats().then(() => (isAnswered = true))
    clock.advance(99)
    await Promise.resolve()
    expect(isAnswered).toBe(false)
    clock.advance(1)
    expect(await answer).toBe(true)

    const silent = await opened(faultyStore(memoryStore(), oneFault({ method: 'stats', nth: 1, answer: 'hang' })))
    const first = silent.stats()
    expect(await Promise.race([first, silent.stats().then(() => 'the second')])).toBe('the second')
  })

  it('counts calls of all methods and of each, and tells what they were made with', async () => {
    const calls: string[] = []
    const store = await opened(
      faultyStore(memoryStore(), {
        after: ({ method, index, nth, args }, answer) =>
          void calls.push(`${index} ${method} ${nth} ${args.length} ${JSON.stringify(answer)}`),
      }),
    )
    await store.find([])
    await store.find([job(1).id])
    expect(calls).toEqual(['1 open 1 1 undefined', '2 find 1 1 []', '3 find 2 1 [null]'])
  })

  it('drops, doubles and holds back hints', async () => {
    const hints: Hint[] = []
    const store = await opened(
      faultyStore(memoryStore(), {
        hint: (hint, pass) => {
          if (hint.type === 'queue') return
          pass(hint)
          pass(hint)
        },
      }),
    )
    store.listen(hint => void hints.push(hint))
    await store.pauseQueue('q')
    await store.insert([job(1)])
    expect(hints).toEqual([1, 2].map(() => ({ type: 'waiting', queue: 'q' })))
  })

  it('goes through all calls one after the other, until a run is over without the fault', async () => {
    let runs = 0
    for (let isOver = false; !isOver; runs++) {
      const plan = oneFault({ nth: runs + 1 })
      const client = openClient({ store: faultyStore(memoryStore(), plan), logger })
      const work = client.enqueue('k').then(({ id }) => client.find(id))
      const outcome = await work.then(
        found => found?.state,
        (error: unknown) => error,
      )
      expect(['waiting', storeFault().code]).toContain(outcome instanceof Error ? Reflect.get(outcome, 'code') : outcome)
      await client.close().catch(() => {})
      isOver = !plan.hasHappened
    }
    expect(runs).toBe(5)
  })
})
