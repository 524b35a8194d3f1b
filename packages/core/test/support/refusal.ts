import type { ErrorCode } from '@genstage/core'
import { expect } from 'vitest'

/** What `toMatchObject` compares a refusal with: its code, the option concerned, and words that its message has to say. */
export function refusal(code: ErrorCode, option: string | undefined, ...words: readonly string[]): object {
  const saysAll = words.map(word => `(?=[^]*${word.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')})`).join('')
  return { name: 'GenStageError', code, option, message: expect.stringMatching(new RegExp(`^${saysAll}`)) }
}
