import { join } from 'node:path'
import { defaultRuntime } from '@genstage/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { HeartOptions } from '../../src/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { openStore, quiet, temporaryFolder } from './sqlite-files.ts'

const runner = { id: 'r', host: 'h', pid: process.pid, queues: [] }

function options(more: Partial<HeartOptions> = {}): HeartOptions {
  return { runner: 'r', leaseMs: 10_000, everyMs: 10, giveUpAfterMs: 10_000, onLost() {}, onBlocked() {}, ...more }
}

async function openInRealTime(path: string): Promise<ReturnType<typeof sqliteStore>> {
  const store = sqliteStore(path)
  await store.open({ clock: defaultRuntime.clock, logger: quiet })
  onTestFinished(() => store.close())
  return store
}

describe('the heart of a runner', () => {
  it('JOB-8 beats on a thread of its own, until it is stopped', { timeout: 30_000 }, async () => {
    const store = await openInRealTime(join(temporaryFolder(), 'jobs.db'))
    await store.register(runner, 10_000)
    const registered = (await store.runners())[0]?.seenAt ?? 0
    const heart = await store.startHeart?.(options())
    expect(heart).toBeDefined()
    let seenAt = registered
    while (seenAt === registered) seenAt = (await store.runners())[0]?.seenAt ?? 0
    expect(seenAt).toBeGreaterThan(registered)
    await heart?.stop()
    await heart?.stop()
  })

  it('JOB-4 tells when the runner was judged dead, once', { timeout: 30_000 }, async () => {
    const store = await openInRealTime(join(temporaryFolder(), 'jobs.db'))
    await store.register(runner, 10_000)
    let times = 0
    const lost = new Promise<void>(resolve => {
      void store.startHeart?.(
        options({
          onLost() {
            times++
            resolve()
          },
        }),
      )
    })
    await store.unregister('r')
    await lost
    await store.stats()
    expect(times).toBe(1)
  })

  it('has no thread in virtual time, without a file, or on a driver of your own', async () => {
    const { store } = await openStore()
    expect(await store.startHeart?.(options())).toBeUndefined()
    expect(await (await openInRealTime(':memory:')).startHeart?.(options())).toBeUndefined()
  })
})
