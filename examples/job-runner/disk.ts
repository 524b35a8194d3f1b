/** A disk that makes trouble, on purpose. It knows nothing of jobs: it is told which attempt this is, and how to give up. */
import { setTimeout as wait } from 'node:timers/promises'
import { diceOf } from './plan.ts'
import type { Trouble } from './plan.ts'

/** What a disk says that cannot be read. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code = 'EIO'
}

/** One try to read a file. */
export interface Access {
  readonly path: string
  /** Which try this is, from 1. */
  readonly attempt: number
  /** How long an earlier try has waited already. */
  readonly waitedMs: number
  /** Aborted: give up. */
  readonly signal: AbortSignal
  /** Called while it waits. */
  readonly waited: (ms: number) => void
}

const stepMs = 250
const longest = 2 ** 31 - 1

/** Resolves when the file can be read. Rejects with a `DiskError`, or when the signal is aborted. */
export async function reach(trouble: Trouble, access: Access): Promise<void> {
  const { path, attempt, signal } = access
  switch (trouble) {
    case 'flaky':
      if (attempt <= 1 + diceOf(path, 2)) throw new DiskError('the disk did not answer')
      return
    case 'broken':
      throw new DiskError('the disk is broken here')
    case 'stuck':
      if (attempt === 1) await wait(longest, undefined, { signal })
      return
    case 'slow':
      for (let ms = access.waitedMs; ms < slownessOf(path); access.waited(ms)) {
        await wait(stepMs, undefined, { signal })
        ms += stepMs
      }
      return
    case 'none':
    case 'late':
  }
}

/** How long a slow file takes, in milliseconds. */
export function slownessOf(path: string): number {
  return 500 + diceOf(path, 9) * stepMs
}
