import type { Store } from '../../store.ts'

/** A store that is open and empty, and whose clock the suite moves. */
export interface StoreUnderTest {
  readonly store: Store
  /** Moves the clock that the store was opened with: the date and the monotonic time. */
  advance(ms: number): Promise<void>
  /** Another handle on the same data, open, as another process would have it. Absent where the data is in the handle. */
  reopen?(): Promise<Store>
  /** Closes all handles, and removes the data. */
  close(): Promise<void>
}

/** Makes a store of its own for each case. */
export type OpenStore = () => Promise<StoreUnderTest>
