import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { JobsError, type JobsErrorDetails } from '../src/errors.ts'

describe('JobsError', () => {
  it('has what is known, and no member for anything else', () => {
    const error = new JobsError('STOPPED', 'the runner is stopping')
    expect(Object.keys(error).toSorted()).toEqual(['code', 'name'])
    expect(inspect(error)).not.toContain('undefined')
    expect([error.job, error.kind, error.queue, error.path, error.index, error.issues]).toEqual(
      Array.from({ length: 6 }, () => undefined),
    )
  })

  it('keeps everything that it was given', () => {
    const details: JobsErrorDetails = { job: 'j', kind: 'k', queue: 'q', path: 'args.a', index: 0, issues: [], cause: 0 }
    expect({ ...new JobsError('INVALID_ARGS', 'x', details), cause: undefined }).toEqual({
      name: 'JobsError',
      code: 'INVALID_ARGS',
      ...details,
      cause: undefined,
    })
    expect(new JobsError('INVALID_ARGS', 'x', details).cause).toBe(0)
    expect(Object.keys(new JobsError('STOPPED', 'x', { queue: 'q', job: undefined })).toSorted()).toEqual([
      'code',
      'name',
      'queue',
    ])
  })
})
