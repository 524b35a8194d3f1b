/** What the compiler knows of a stage on a thread: all that it knows of the definition in its module. */
import {
  type ConsumerDefinition,
  consumer,
  fromIterable,
  type Messages,
  type ProducerConsumerDefinition,
  start,
} from '@genstage/core'
import { describe, expectTypeOf, it } from 'vitest'
import { onThread } from '../src/index.ts'
import type * as stages from './support/stages.ts'

type Stages = typeof stages

const module = new URL('file:///stages.js')

describe('onThread', () => {
  it('gives the definition of the module, with its events, argument and messages', () => {
    const Double = onThread<Stages['Double']>(module, { export: 'Double' })
    expectTypeOf(Double).toEqualTypeOf<ProducerConsumerDefinition<number, number>>()
    const Keeper = onThread<Stages['Keeper']>(module, { export: 'Keeper', type: 'consumer' })
    expectTypeOf(Keeper).toEqualTypeOf<ConsumerDefinition<unknown, void, Messages<'kept' | 'stop', unknown[]>>>()
    const sum = start(onThread<Stages['Sum']>(module, { export: 'Sum' }))
    expectTypeOf(sum.call('sum')).toEqualTypeOf<Promise<number>>()
    // @ts-expect-error -- not a request of this stage
    void sum.call('total')
  })

  it('takes the type written out', () => {
    const Hash = onThread<ProducerConsumerDefinition<string, Uint8Array, number>>(module, {})
    const words = start(fromIterable(['a']))
    const hash = start(Hash, { arg: 1, subscribeTo: [words] })
    expectTypeOf(hash.stream()).toEqualTypeOf<AsyncIterable<Uint8Array>>()
    // @ts-expect-error -- the argument is missing
    start(Hash, { subscribeTo: [words] })
    // @ts-expect-error -- numbers are no words
    start(Hash, { arg: 1, subscribeTo: [start(fromIterable([1]))] })
    const Sink = consumer(() => ({ handleEvents(_arrays: readonly Uint8Array[]) {} }))
    start(Sink, { subscribeTo: [hash] })
  })

  it('wants to be told that it is a consumer, and takes no other kind', () => {
    // @ts-expect-error -- the type is missing
    onThread<Stages['Keeper']>(module, { export: 'Keeper' })
    // @ts-expect-error -- it is a producer-consumer
    onThread<Stages['Double']>(module, { export: 'Double', type: 'consumer' })
    // @ts-expect-error -- a producer
    onThread<Stages['Source']>(module, { export: 'Source' })
    // @ts-expect-error -- a supervisor
    onThread<Stages['Tree']>(module, { export: 'Tree' })
    // @ts-expect-error -- no definition
    onThread<Stages['notADefinition']>(module, { export: 'notADefinition' })
    // @ts-expect-error -- an unknown encoding
    onThread<Stages['Double']>(module, { encoding: 'text' })
    // @ts-expect-error -- the data of the worker is ours
    onThread<Stages['Double']>(module, { worker: { workerData: 1 } })
  })
})
