import { defaultRuntime, type Logger } from '@genstage/core'
import { sqliteStore } from '../../src/index.ts'

/** What is in a file. */
export interface Look {
  /** Jobs that wait in the queue `q`, and how many the store counts there. */
  readonly jobs: number
  readonly counted: number
  /** The integrity check has found nothing. */
  readonly isWhole: boolean
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const looksPerCollection = 50
let looks = 0

/** Opens a file, reads what is in it, and closes it again. */
export async function look(path: string): Promise<Look> {
  const store = sqliteStore(path)
  try {
    await store.open({ clock: defaultRuntime.clock, logger: quiet })
    const { jobs } = await store.list({ limit: 100 })
    const { queues } = await store.stats()
    const problems = await store.integrityCheck()
    return { jobs: jobs.length, counted: queues['q']?.waiting ?? 0, isWhole: problems.length === 0 }
  } finally {
    await store.close()
    // One driver lets go of a file when its statements are collected, and there are thousands of files
    if (++looks % looksPerCollection === 0) globalThis.gc?.()
  }
}
