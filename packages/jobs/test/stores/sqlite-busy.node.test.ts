/** What calls do while another process holds the write lock. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { VirtualClock } from '@genstage/testing'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection } from '../../src/stores/sqlite/driver.ts'
import { drivers, newJob, openStore } from './sqlite-files.ts'

/** Takes the write lock of a file, until it is given back. */
function lock(path: string): { release(): void } {
  const holder: SqliteConnection = chooseDriver(drivers[0] ?? 'auto').open(path)
  holder.exec('BEGIN IMMEDIATE')
  let isHeld = true
  const release = (): void => {
    if (isHeld) holder.close()
    isHeld = false
  }
  onTestFinished(release)
  return { release }
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    // Long enough for whatever a turn brings about
    for (let turn = 0; turn < 4; turn++) await new Promise(resolve => void setImmediate(resolve))
    clock.advance(10)
  }
  for (let turn = 0; turn < 4; turn++) await new Promise(resolve => void setImmediate(resolve))
}

/** When a call was refused, by the clock, and with what. */
function refusals(clock: VirtualClock, calls: readonly Promise<unknown>[]): { readonly at: number; readonly error: unknown }[] {
  const begun = clock.now()
  const seen: { readonly at: number; readonly error: unknown }[] = []
  for (const call of calls) call.catch((error: unknown) => void seen.push({ at: clock.now() - begun, error }))
  return seen
}

describe('a write lock that another process holds', () => {
  it('F33 each call is refused after its own time, however many were called before it', async () => {
    const { store, clock, path } = await openStore({ busyTimeoutMs: 500 })
    lock(path)
    const many = Array.from({ length: 20 }, () => store.insert(Array.from({ length: 250 }, () => newJob())))
    const refused = refusals(clock, many)
    await pass(clock, 200)
    const late = refusals(clock, [store.pauseQueue('q')])
    await pass(clock, 280)
    expect(refused).toEqual([])
    await pass(clock, 40)
    expect(refused).toHaveLength(20)
    for (const { at, error } of refused) {
      expect(at).toBeLessThanOrEqual(520)
      expect(error).toMatchObject({
        code: 'STORE_BUSY',
        message: expect.stringMatching(/ locked by another process for 5[0-2]0 ms /),
      })
    }
    expect(late).toEqual([])
    await pass(clock, 200)
    expect(late).toMatchObject([{ error: { code: 'STORE_BUSY' } }])
    expect(late[0]?.at).toBeLessThanOrEqual(520)
  })

  it('F33 a close comes to its end when those are refused that were called before it', async () => {
    const { store, clock, path } = await openStore({ busyTimeoutMs: 500 })
    lock(path)
    const refused = refusals(
      clock,
      Array.from({ length: 20 }, () => store.insert(Array.from({ length: 250 }, () => newJob()))),
    )
    let isClosed = false
    void store.close().then(() => (isClosed = true))
    await pass(clock, 520)
    expect([refused.length, isClosed]).toEqual([20, true])
  })

  it('F33 what our own work took before it is not counted as waiting', async () => {
    const { store, clock, path } = await openStore({ busyTimeoutMs: 500 })
    const first = lock(path)
    const patient = store.insert([newJob()])
    await pass(clock, 400)
    first.release()
    await pass(clock, 20)
    expect(await patient).toHaveLength(1)
    const second = lock(path)
    const another = store.insert([newJob()])
    await pass(clock, 400)
    second.release()
    await pass(clock, 20)
    expect(await another).toHaveLength(1)
  })

  it('F33 ROW-R6 keeps nobody waiting who only looks', async () => {
    const { store, clock, path } = await openStore()
    await store.insert([newJob({ delayMs: 10 }), newJob({ delayMs: 5_000 }), newJob()])
    clock.advance(10)
    lock(path)
    const { queues } = await store.stats()
    expect(queues['q']).toMatchObject({ delayed: 1, waiting: 2 })
    expect((await store.list({ states: ['waiting'], limit: 9 })).jobs).toHaveLength(2)
    expect((await store.list({ states: ['delayed'], limit: 9 })).jobs).toHaveLength(1)
    expect((await store.list({ limit: 9 })).jobs).toHaveLength(3)
    // Nor where a write was called just after it
    const looking = store.stats()
    const refused = refusals(clock, [store.pauseQueue('q')])
    expect((await looking).queues).toEqual(queues)
    expect(refused).toEqual([])
  })

  it('F33 a look that came after a write that is refused is answered all the same', async () => {
    const { store, clock, path } = await openStore({ busyTimeoutMs: 500 })
    await store.insert([newJob()])
    lock(path)
    const refused = refusals(clock, [store.insert([newJob()])])
    const looking = store.stats()
    await pass(clock, 520)
    expect(refused).toMatchObject([{ error: { code: 'STORE_BUSY' } }])
    expect((await looking).queues['q']).toMatchObject({ waiting: 1 })
  })
})
