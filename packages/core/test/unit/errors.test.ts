import { describe, expect, it } from 'vitest'
import { describeReason, GenStageError, show, suggestion, UnnamedError } from '../../src/errors.ts'
import { failure, killed, noproc, normal, type Reason, shutdown } from '../../src/reason.ts'

describe('GenStageError', () => {
  it('is an Error with a code and the message as it was given', () => {
    const error = new GenStageError('TIMEOUT', 'stage "mailer": no answer after 5000 ms')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'GenStageError', code: 'TIMEOUT', message: 'stage "mailer": no answer after 5000 ms' })
    expect(String(error)).toBe('GenStageError: stage "mailer": no answer after 5000 ms')
  })

  it('carries what a program may want to know', () => {
    const cause = new Error('disk full')
    const error = new GenStageError('STAGE_FAILED', 'failed', { stage: 'mailer', option: 'size', reason: killed, cause })
    expect(error).toMatchObject({ stage: 'mailer', option: 'size', reason: killed, cause })
  })

  it('has no cause where there is none', () => {
    const error = new GenStageError('STOPPED', 'stopped')
    expect('cause' in error).toBe(false)
    expect([error.stage, error.option, error.reason]).toEqual([undefined, undefined, undefined])
  })
})

describe('UnnamedError', () => {
  it('is told again in the name of a stage', () => {
    const cause = new Error('no')
    const unnamed = new UnnamedError('PARTITION_TAKEN', 'partition 0 is taken', { option: 'partition', cause })
    const error = unnamed.named('mailer')
    expect(unnamed).toBeInstanceOf(GenStageError)
    expect(error).not.toBeInstanceOf(UnnamedError)
    expect(error).toMatchObject({
      code: 'PARTITION_TAKEN',
      message: 'stage "mailer": partition 0 is taken',
      stage: 'mailer',
      option: 'partition',
      cause,
    })
  })
})

describe('describeReason', () => {
  it.each<[reason: Reason, words: string]>([
    [normal, 'normal'],
    [shutdown(), 'shutdown'],
    [shutdown('queue is empty'), 'shutdown (queue is empty)'],
    [shutdown({ jobs: 3 }), 'shutdown (an object)'],
    [killed, 'killed'],
    [noproc, 'noproc'],
    [{ type: 'noconnection' }, 'noconnection'],
    [failure(new TypeError('no such row')), 'TypeError: no such row'],
    [failure('plain text'), 'error plain text'],
    [failure(undefined), 'error undefined'],
    [failure(Object.create(null)), 'error an object'],
    [failure(Symbol('s')), 'error Symbol(s)'],
    [{ type: 'other', value: 'oops' }, 'oops'],
    [{ type: 'other', value: ['oops'] }, 'an array'],
  ])('tells %o in a few words', (reason, words) => {
    expect(describeReason(reason)).toBe(words)
  })
})

describe('show', () => {
  it.each<[value: unknown, shown: string]>([
    ['text', '"text"'],
    ['with "quotes"\n', String.raw`"with \"quotes\"\n"`],
    ['', '""'],
    ['x'.repeat(40), `"${'x'.repeat(40)}"`],
    ['x'.repeat(41), `"${'x'.repeat(40)}…"`],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [12n, '12n'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [class {}, 'a function'],
    [[], 'an empty array'],
    [[1, 2], 'an array'],
    [{ a: 1 }, 'an object'],
    [new Map(), 'a Map'],
    [new Set(), 'a Set'],
    [new Date(0), 'an object'],
    [Object.create(null), 'an object'],
  ])('shows a value as a message needs it (%#)', (value, shown) => {
    expect(show(value)).toBe(shown)
  })

  it('runs no code of the value', () => {
    const trap = (): never => {
      throw new Error('must not run')
    }
    expect(show({ toString: trap, toJSON: trap, valueOf: trap, [Symbol.toPrimitive]: trap })).toBe('an object')
  })
})

describe('suggestion', () => {
  const known = ['maxDemand', 'minDemand', 'cancel', 'selector', 'partition']

  it.each([
    ['maxDemnad', '; did you mean maxDemand?'],
    ['max_demand', '; did you mean maxDemand?'],
    ['mindemand', '; did you mean minDemand?'],
    ['CANCEL', '; did you mean cancel?'],
    ['partitions', '; did you mean partition?'],
    ['select', '; did you mean selector?'],
    ['colour', ''],
    ['', ''],
  ])('for %o is %o', (word, expected) => {
    expect(suggestion(word, known)).toBe(expected)
  })

  it('is the nearest of several', () => {
    expect(suggestion('handleEvent', ['handleDemand', 'handleEvents', 'handleCall'])).toBe('; did you mean handleEvents?')
  })

  it('is the first of equally near ones', () => {
    expect(suggestion('mixDemand', ['maxDemand', 'minDemand'])).toBe('; did you mean maxDemand?')
  })

  it('is empty where nothing is known', () => {
    expect(suggestion('maxDemand', [])).toBe('')
  })
})
