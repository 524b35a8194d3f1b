import { describe, expect, it } from 'vitest'
import { companions } from '../../../src/supervision/strategy.ts'

describe('companions', () => {
  const children = ['a', 'b', 'c', 'd']

  it.each([
    ['one_for_one', 'b', []],
    ['one_for_all', 'b', ['a', 'c', 'd']],
    ['one_for_all', 'a', ['b', 'c', 'd']],
    ['rest_for_one', 'a', ['b', 'c', 'd']],
    ['rest_for_one', 'b', ['c', 'd']],
    ['rest_for_one', 'd', []],
  ] as const)('GS-J13 with %s those that go with %s are %s, in the order of their start', (strategy, failed, expected) => {
    expect(companions(strategy, children, failed)).toEqual(expected)
  })

  it('are none for an only child', () => {
    for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const)
      expect(companions(strategy, ['a'], 'a')).toEqual([])
  })
})
