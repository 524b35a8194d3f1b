/** What the tests of the SQLite store share: files that go away, stores on them, and the drivers that this Node can load. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@genstage/core'
import { VirtualClock } from '@genstage/testing'
import { onTestFinished } from 'vitest'
import type { NewJob, Store } from '../../src/store.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { driverNames, type SqliteDriverName } from '../../src/stores/sqlite/driver.ts'
import { type SqliteStore, sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import type { SqliteStoreOptions } from '../../src/stores/sqlite/sqlite-options.ts'
import type { StoreUnderTest } from '../../src/testing/store-contract.ts'

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** The drivers that load here. At least one has to. */
export const drivers: readonly SqliteDriverName[] = driverNames.filter(name => {
  try {
    return chooseDriver(name).name === name
  } catch {
    return false
  }
})

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'genstage-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store on a file, open, on a clock of its own; closed after the test. */
export async function openStore(
  options: Partial<SqliteStoreOptions> = {},
  clock: VirtualClock = new VirtualClock(),
): Promise<{ readonly store: SqliteStore; readonly clock: VirtualClock; readonly path: string }> {
  const path = options.path ?? join(temporaryFolder(), 'jobs.db')
  const store = sqliteStore({ ...options, path })
  await store.open({ clock, logger: quiet })
  onTestFinished(() => store.close())
  return { store, clock, path }
}

/** Opens stores for the contract suite. */
export function underTest(driver: SqliteDriverName): () => Promise<StoreUnderTest> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'genstage-'))
    const clock = new VirtualClock()
    const handles: Store[] = []
    const reopen = async (): Promise<Store> => {
      const store = sqliteStore({ path: join(folder, 'jobs.db'), driver })
      await store.open({ clock, logger: quiet })
      handles.push(store)
      return store
    }
    return {
      store: await reopen(),
      advance: async ms => clock.advance(ms),
      reopen,
      async close() {
        await Promise.all(handles.map(store => store.close()))
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }
}

let jobs = 0

/** A job with an id of its own. */
export function newJob(job: Partial<NewJob> = {}): NewJob {
  const id = `00000000-0000-4000-8000-${String(++jobs).padStart(12, '0')}`
  return { id, queue: 'q', kind: 'k', version: 1, args: '{}', priority: 0, delayMs: 0, maxAttempts: 3, ...job }
}
