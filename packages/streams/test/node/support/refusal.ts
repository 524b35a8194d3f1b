import { type ErrorCode, GenStageError } from '@genstage/core'
import { expect } from 'vitest'

/** Expects that the call is refused with a code, and that the message says something. */
export function expectRefusal(code: ErrorCode, words: string, call: () => unknown): void {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(GenStageError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) })
    return
  }
  expect.unreachable(`nothing was thrown; expected ${code}`)
}
