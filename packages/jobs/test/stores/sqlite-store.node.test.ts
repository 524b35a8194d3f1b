import { describe, expect, it } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import { drivers, underTest } from './sqlite-files.ts'

it('finds a driver', () => expect(drivers).not.toEqual([]))

for (const driver of drivers) {
  describe(`the contract of stores, kept by the SQLite store on ${driver}`, () => {
    for (const { ids, name, run } of storeContract(underTest(driver))) it(`${ids.join(' ')} ${name}`, async () => run())
  })
}
