import fc from 'fast-check'
import { describe, it } from 'vitest'
import { storeModel } from '../../src/testing/store-contract.ts'
import { drivers, underTest } from './sqlite-files.ts'

for (const driver of drivers) {
  describe(`the SQLite store on ${driver}, compared with the model of stores`, () => {
    for (const { ids, name, run } of storeModel(underTest(driver), fc, { runs: 20, seed: 5 })) {
      it(`${ids.join(' ')} ${name}`, { timeout: 60_000 }, async () => run())
    }
  })
}
