/** The adapter contract on the adapters of web streams. */
import { adapterContract, type ContractCase } from '@genstage/testing'
import { describe, it } from 'vitest'
import {
  asReadableSink,
  asWritableSink,
  readableSources,
  throughSource,
  transformSink,
  writableSink,
} from './support/web-adapters.ts'

const contracts: readonly ContractCase[] = [
  ...readableSources.flatMap(source => adapterContract(source, { takesSignal: true, lookAhead: 0 })),
  ...adapterContract(writableSink, { takesSignal: true }),
  ...adapterContract(asReadableSink, { takesSignal: true }),
  // A producer's event waits in each of the two queues, and one is being written
  ...adapterContract(asWritableSink, { lookAhead: 3 }),
  // 16 in the stage, 1 in each stream and on the way between them, 4 on the subscription
  ...adapterContract(throughSource, { takesSignal: true, lookAhead: 21 }),
  ...adapterContract(transformSink, { lookAhead: 20 }),
]

describe('the contract of adapters', () => {
  it.each(contracts.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })
})
