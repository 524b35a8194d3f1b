import { type ContractCase, ContractError } from '@genstage/testing'
import type { FastCheck } from './model/fast-check.ts'
import { type Operation, operations, written } from './model/operations.ts'
import { StorePlay } from './model/store-play.ts'
import type { OpenStore } from './store-under-test.ts'

/** How long to look. */
export interface StoreModelRuns {
  /** Random sequences of 1 to 200 operations. Default 200. */
  readonly runs?: number
  /** Where chance begins, to repeat a failure: the message tells it. Default: another one each time. */
  readonly seed?: number
}

/**
 * Random sequences of operations, done on the store and on a small model that was written from the contract: all that can be seen has
 * to be the same. A failure tells the shortest sequence that shows it, and the seed. Needs fast-check 4, which is handed in.
 */
export function storeModel(open: OpenStore, fc: FastCheck, { runs = 200, seed }: StoreModelRuns = {}): readonly ContractCase[] {
  const run = async (): Promise<void> => {
    const settings = seed === undefined ? { numRuns: runs } : { numRuns: runs, seed }
    const property = fc.asyncProperty(operations(fc), sequence => playOnce(open, sequence))
    const result = await fc.check(property, settings)
    if (!result.failed) return
    const error = result.errorInstance
    const message = error instanceof Error ? error.message : String(error)
    const sequence = written(result.counterexample?.[0] ?? [])
    throw new ContractError(`${message}\n  after:\n    ${sequence}\n  seed: ${result.seed}`, { cause: error })
  }
  const ids = ['JOB-1', 'JOB-3', 'JOB-4', 'JOB-5', 'JOB-7', 'JOB-10', 'JOB-12', 'JOB-14']
  return [{ ids, name: 'does what the model does, whatever the sequence of operations', run }]
}

async function playOnce(open: OpenStore, sequence: readonly Operation[]): Promise<void> {
  const under = await open()
  try {
    const play = await StorePlay.begin(under)
    for (const operation of sequence) await play.perform(operation)
    await play.compareAll()
  } finally {
    await under.close()
  }
}
