import type { ContractCase } from '@genstage/testing'
import { cancelCases } from './store-contract/cancel-cases.ts'
import { claimCases } from './store-contract/claim-cases.ts'
import { crashCases } from './store-contract/crash-cases.ts'
import { hintCases } from './store-contract/hint-cases.ts'
import { insertCases } from './store-contract/insert-cases.ts'
import { lookCases } from './store-contract/look-cases.ts'
import { queueCases } from './store-contract/queue-cases.ts'
import { reopenCases } from './store-contract/reopen-cases.ts'
import { runnerCases } from './store-contract/runner-cases.ts'
import { settleCases } from './store-contract/settle-cases.ts'
import type { OpenStore } from './store-contract/store-under-test.ts'
import { uniqueCases } from './store-contract/unique-cases.ts'
import { windowCases } from './store-contract/window-cases.ts'

export { storeModel, type StoreModelRuns } from './store-contract/store-model-cases.ts'
export type { OpenStore, StoreUnderTest } from './store-contract/store-under-test.ts'

const cases = [
  insertCases,
  claimCases,
  settleCases,
  cancelCases,
  crashCases,
  runnerCases,
  uniqueCases,
  windowCases,
  lookCases,
  queueCases,
  hintCases,
  reopenCases,
]

/**
 * What every store has to keep to, as named cases for any test framework. `open` makes a store for each of them: open, empty, with a
 * clock that the case moves. Where it can be opened again, by `reopen`, some cases work on both handles at once.
 *
 * ```ts
 * import { VirtualClock } from '@genstage/testing'
 *
 * async function open(): Promise<StoreUnderTest> {
 *   const [clock, store] = [new VirtualClock(), memoryStore()]
 *   await store.open({ clock, logger: console })
 *   return { store, advance: async ms => clock.advance(ms), close: () => store.close() }
 * }
 * const [first] = storeContract(open)
 * await first?.run()
 * console.log(first?.name) // => a stored job is there with all it was stored with
 * ```
 */
export function storeContract(open: OpenStore): readonly ContractCase[] {
  return cases.flatMap(casesOfPart => casesOfPart(open))
}
