/** What `storeModel` takes for fast-check. Only type-checked: nothing here runs. */
import fastCheck from 'fast-check'
import * as everything from 'fast-check'
import { describe, expectTypeOf, it } from 'vitest'
import { type OpenStore, storeModel } from '../../src/testing/index.ts'

declare const open: OpenStore

type Taken = Parameters<typeof storeModel>[1]

describe('storeModel', () => {
  it('takes fast-check, however it is imported', () => {
    storeModel(open, fastCheck)
    storeModel(open, everything, { runs: 5, seed: 1 })
  })

  it('has no types of fast-check in its own, which is not there for everyone', () => {
    expectTypeOf<Taken>().not.toBeAny()
    expectTypeOf<keyof Taken>().toEqualTypeOf<
      'array' | 'asyncProperty' | 'boolean' | 'check' | 'constantFrom' | 'integer' | 'nat' | 'oneof' | 'option' | 'record'
    >()
  })

  it('takes nothing less', () => {
    const { array: _, ...rest } = fastCheck
    // @ts-expect-error no arrays
    storeModel(open, rest)
    // @ts-expect-error another library
    storeModel(open, { check: () => true })
  })
})
