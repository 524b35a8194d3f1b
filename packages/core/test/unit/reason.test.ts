import { describe, expect, it } from 'vitest'
import { failure, isGraceful, killed, noproc, normal, type Reason, reasonFrom, shutdown } from '../../src/reason.ts'

const all: readonly (readonly [reason: Reason, graceful: boolean])[] = [
  [normal, true],
  [shutdown(), true],
  [shutdown('queue is empty'), true],
  [killed, false],
  [noproc, false],
  [{ type: 'noconnection' }, false],
  [failure(new TypeError('no such row')), false],
  [failure(undefined), false],
  [{ type: 'other', value: 'oops' }, false],
]

describe('Reason', () => {
  it.each(all)('GS-K5 GS-J5 %o is graceful: %o', (reason, graceful) => {
    expect(isGraceful(reason)).toBe(graceful)
  })

  it('GS-J5 keeps the very value of an error and of a detail', () => {
    const error = new Error('no')
    const detail = { jobs: 3 }
    expect(failure(error).error).toBe(error)
    expect(shutdown(detail).detail).toBe(detail)
  })

  it('is frozen where it is shared', () => {
    for (const reason of [normal, shutdown(), killed, noproc]) expect(Object.isFrozen(reason)).toBe(true)
  })
})

describe('shutdown', () => {
  it('has no detail unless one is given', () => {
    expect('detail' in shutdown()).toBe(false)
    expect('detail' in shutdown(undefined)).toBe(false)
    expect(shutdown(null)).toEqual({ type: 'shutdown', detail: null })
  })
})

describe('reasonFrom', () => {
  it('reads the two common reasons as words', () => {
    expect(reasonFrom('normal')).toEqual({ type: 'normal' })
    expect(reasonFrom('shutdown')).toEqual({ type: 'shutdown' })
  })

  it.each(all)('GS-K7 passes %o on unchanged', reason => {
    expect(reasonFrom(reason)).toBe(reason)
  })

  it.each([
    [undefined],
    [null],
    [''],
    ['killed'],
    ['Normal'],
    [0],
    [{}],
    [{ type: 'nothing' }],
    [{ type: undefined }],
    [['normal']],
    [new Error('no')],
    [() => 1],
  ])('refuses %o', input => {
    expect(reasonFrom(input)).toBeUndefined()
  })
})
