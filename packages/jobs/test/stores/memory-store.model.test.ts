import fc from 'fast-check'
import { describe, it } from 'vitest'
import { storeModel } from '../../src/testing/store-contract.ts'
import { openMemory } from './memory-under-test.ts'

describe('random sequences on the memory store', () => {
  for (const { ids, name, run } of storeModel(openMemory, fc, { runs: 1_000, seed: 20_000_101 })) {
    it(`${ids.join(' ')} ${name}`, { timeout: 60_000 }, async () => run())
  }
})
