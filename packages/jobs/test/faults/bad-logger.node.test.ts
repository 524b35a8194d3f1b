import type { Logger } from '@genstage/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { guardedLogger } from '../../src/guarded-logger.ts'

describe('a logger that fails', () => {
  it.each([
    ['throws', () => expect.fail('broken')],
    ['rejects', async () => Promise.reject(new Error('broken'))],
  ])('JOB-18 harms nobody when it %s', async (_, log) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => printed.mockRestore())
    const logger: Logger = { debug: log, info: log, warn: log, error: log }
    guardedLogger(logger).info('one line')
    guardedLogger(logger).error('another', { code: 'X' })
    await vi.waitFor(() => expect(printed).toHaveBeenCalledTimes(2))
  })
})
