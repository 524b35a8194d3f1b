import type { Logger } from '@genstage/core'
import { VirtualClock } from '@genstage/testing'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import type { StoreUnderTest } from '../../src/testing/store-contract.ts'

/** Listeners that throw are part of the suite: their lines are not for the report. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A memory store of its own, open, with a virtual clock. */
export async function openMemory(): Promise<StoreUnderTest> {
  const clock = new VirtualClock()
  const store = memoryStore()
  await store.open({ clock, logger: silent })
  return { store, advance: async ms => clock.advance(ms), close: () => store.close() }
}
