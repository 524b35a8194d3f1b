import { adapterContract, type ContractCase } from '@genstage/testing'
import { describe, it } from 'vitest'
import {
  asDuplexSink,
  asReadableSink,
  asWritableSource,
  duplexSink,
  duplexSource,
  readableSource,
  writableSink,
} from './support/adapters.ts'

/** Null is the end of a Node stream. */
const carries = (event: unknown): boolean => event !== null

/** A stream that nothing was written to has no subscription yet: as-writable.node.test.ts has these cases after the first event. */
const ofUnusedInput = /a stop while it waits for the input|a kill releases the input/

const objects = { objectMode: true }
const noRoom = { objectMode: true, highWaterMark: 0 }
const roomForOne = { objectMode: true, highWaterMark: 1 }

const contracts: Readonly<Record<string, readonly ContractCase[]>> = {
  fromReadable: adapterContract(readableSource(objects), { takesSignal: true, lookAhead: 16, carries }),
  'fromReadable, without room': adapterContract(readableSource(noRoom), { lookAhead: 0, carries }),
  toWritable: adapterContract(writableSink(objects), { takesSignal: true, lookAhead: 16, carries }),
  'toWritable, room for one': adapterContract(writableSink(roomForOne), { lookAhead: 1, carries }),
  'throughDuplex, what is read': adapterContract(duplexSource(objects), { takesSignal: true, lookAhead: 16 + 96, carries }),
  'throughDuplex, what is written': adapterContract(duplexSink(objects), { takesSignal: true, lookAhead: 16, carries }),
  asReadable: adapterContract(asReadableSink({ highWaterMark: 16 }), { takesSignal: true, lookAhead: 16, carries }),
  'asReadable, without room': adapterContract(asReadableSink({ highWaterMark: 0 }), { lookAhead: 1, carries }),
  asWritable: adapterContract(asWritableSource({ highWaterMark: 16, maxDemand: 10 }), {
    takesSignal: true,
    lookAhead: 10,
    carries,
  }).filter(({ name }) => !ofUnusedInput.test(name)),
  asDuplex: adapterContract(asDuplexSink({ highWaterMark: 1 }), { takesSignal: true, lookAhead: 5, carries }),
}

describe.each(Object.entries(contracts))('%s', (_, cases) => {
  it.each(cases.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })
})
