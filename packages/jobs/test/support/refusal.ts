import { GenStageError } from '@genstage/core'
import { JobsError, type JobsErrorCode } from '../../src/errors.ts'

/** What `work` throws: a `JobsError` with that code. */
export function refused(code: JobsErrorCode, work: () => unknown): JobsError {
  const error = thrownBy(work)
  if (error instanceof JobsError && error.code === code) return error
  throw error instanceof Error ? error : new Error(`no JobsError was thrown, but ${String(error)}`)
}

/** What `work` throws: core's `BAD_OPTION`. */
export function badOption(work: () => unknown): GenStageError {
  const error = thrownBy(work)
  if (error instanceof GenStageError && error.code === 'BAD_OPTION') return error
  throw error instanceof Error ? error : new Error(`no GenStageError was thrown, but ${String(error)}`)
}

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}
