import type { SqliteDriverName } from './driver.ts'

/** What the thread of a heart is given. */
export interface HeartOpening {
  readonly genstage: 'heart of a runner'
  readonly path: string
  readonly driver: SqliteDriverName
  readonly runner: string
  readonly leaseMs: number
  readonly everyMs: number
  readonly giveUpAfterMs: number
  /** Memory that both threads see: `signOfLife` and `stopping`. */
  readonly shared: Int32Array
}

/** Place in the shared memory that the event loop changes as long as it goes round. */
export const signOfLife = 0
/** Place that is 1 when the thread is to end. */
export const stopping = 1

/** What the thread tells. */
export type FromHeart =
  | { readonly type: 'ready' }
  /** The runner was judged dead, or the file cannot be reached for a lease. */
  | { readonly type: 'lost' }
