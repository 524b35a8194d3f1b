import { consumer, fromIterable, producer, producerConsumer, producerName, start } from '@genstage/core'
import type { ConsumerRef, ProducerConsumerRef, ProducerRef } from '@genstage/core'
import {
  batch,
  buffering,
  collect,
  debounce,
  filter,
  flatMap,
  fold,
  forEach,
  interval,
  map,
  pipe,
  polling,
  pollingBatches,
  type PollingMessages,
  rateLimited,
  resultOf,
  scan,
  take,
  tap,
  via,
} from '@genstage/stages'
import { describe, expectTypeOf, it } from 'vitest'

describe('pipe', () => {
  it('infers events from the source down, through functions that say nothing of them', () => {
    const chain = pipe(
      [1, 2, 3],
      map(event => ({ event })),
      filter(({ event }) => event > 1),
      flatMap(({ event }) => [String(event)]),
      batch({ size: 2 }),
      via(
        map(async words => words.length),
        { maxDemand: 2 },
      ),
      scan((sum, length) => sum + length, 0),
      tap(sum => expectTypeOf(sum).toEqualTypeOf<number>()),
      collect(),
    )
    expectTypeOf(chain.result).resolves.toEqualTypeOf<readonly number[]>()
    expectTypeOf(chain.done).resolves.toEqualTypeOf<void>()
    expectTypeOf(chain.stages[3]).toExtend<ProducerConsumerRef<{ readonly event: number }, string>>()
    expectTypeOf(chain.stages[0]).toExtend<ProducerRef<number>>()
  })

  it('infers with and without options, whatever the last stage is', () => {
    const options = { signal: AbortSignal.timeout(5) }
    pipe(
      [1],
      forEach(event => expectTypeOf(event).toEqualTypeOf<number>()),
    )
    pipe(
      [1],
      forEach(event => expectTypeOf(event).toEqualTypeOf<number>()),
      options,
    )
    pipe(
      [1],
      via(
        forEach(event => expectTypeOf(event).toEqualTypeOf<number>()),
        { maxDemand: 1 },
      ),
    )
    pipe(
      ['a'],
      map(event => event.length),
      forEach(event => expectTypeOf(event).toEqualTypeOf<number>()),
    )
    pipe(
      ['a'],
      map(event => event.length),
      via(
        forEach(event => expectTypeOf(event).toEqualTypeOf<number>()),
        { name: 'x' },
      ),
      options,
    )
    const sum = pipe(
      ['a'],
      fold((length, word) => length + word.length, 0),
    )
    expectTypeOf(sum.result).resolves.toEqualTypeOf<number>()
    const counted = pipe(
      ['a'],
      fold((length, word) => length + word.length, 0),
      options,
    )
    expectTypeOf(counted.result).resolves.toEqualTypeOf<number>()
    const none = pipe(
      ['a'],
      forEach(() => {}),
    )
    expectTypeOf(none.result).resolves.toEqualTypeOf<void>()
  })

  it('takes sources of every kind', () => {
    const Name = producerName<number>('numbers')
    const fromName = pipe(
      Name,
      map(event => event * 2),
      collect(),
    )
    expectTypeOf(fromName.result).resolves.toEqualTypeOf<readonly number[]>()
    expectTypeOf(fromName.stages.length).toEqualTypeOf<2>()
    const fromRef = pipe(start(fromIterable(['a'])), collect())
    expectTypeOf(fromRef.result).resolves.toEqualTypeOf<readonly string[]>()
    expectTypeOf(fromRef.stages.length).toEqualTypeOf<1>()
    async function* letters() {
      yield 'a'
    }
    expectTypeOf(pipe(letters, collect()).result).resolves.toEqualTypeOf<readonly string[]>()
    expectTypeOf(pipe(letters(), collect()).result).resolves.toEqualTypeOf<readonly string[]>()
    const polled = pipe(
      polling(async () => 1 as number | undefined, { everyMs: 5 }),
      collect(),
    )
    expectTypeOf(polled.result).resolves.toEqualTypeOf<readonly number[]>()
    expectTypeOf(polled.stages[0]).toExtend<ProducerRef<number, PollingMessages>>()
    polled.stages[0].cast('poll')
  })

  it('refuses what does not fit', () => {
    const Texts = consumer(() => ({ handleEvents(_texts: readonly string[]) {} }))
    const Lengths = producerConsumer(() => ({ handleEvents: (texts: readonly string[]) => texts.map(text => text.length) }))
    const Counter = producer((first: number) => ({ handleDemand: () => [first] }))
    // @ts-expect-error the consumer takes texts
    pipe([1], Texts)
    // @ts-expect-error the stage in the middle takes texts
    pipe([1], Lengths, collect())
    // @ts-expect-error the stage in the middle makes numbers
    pipe(['a'], Lengths, Texts)
    // @ts-expect-error a stage in the middle is no end
    pipe(['a'], Lengths)
    // @ts-expect-error a consumer is no middle
    pipe(['a'], Texts, collect())
    // @ts-expect-error the argument is missing
    pipe(Counter, collect())
    // @ts-expect-error a number is no source
    pipe(5, collect())
    // @ts-expect-error the argument is of another type
    via(Counter, { arg: 'a' })
    // @ts-expect-error a producer has no subscription
    via(Counter, { arg: 1, maxDemand: 5 })
    // @ts-expect-error how stages follow each other is for the pipe to decide
    via(Texts, { cancel: 'temporary' })
    // @ts-expect-error a consumer has no dispatcher
    via(Texts, { dispatcher: undefined as never as () => never })
    // @ts-expect-error not an option
    pipe(['a'], Texts, { runtim: undefined })
    pipe(via(Counter, { arg: 1, bufferSize: 5 }), collect())
  })
})

describe('stages', () => {
  it('have the types of their functions', () => {
    expectTypeOf(start(polling(() => null as string | null, { everyMs: 1 }))).toExtend<ProducerRef<string>>()
    expectTypeOf(start(pollingBatches(async () => [1], { everyMs: 1 }))).toExtend<ProducerRef<number>>()
    expectTypeOf(start(interval(5))).toExtend<ProducerRef<number>>()
    const inbox = start(buffering<string>())
    expectTypeOf(inbox).toExtend<ProducerRef<string>>()
    expectTypeOf(inbox.call(['a'])).resolves.toEqualTypeOf<number>()
    // @ts-expect-error it takes texts
    inbox.cast([1])
    expectTypeOf(start(map(async (event: number) => String(event)))).toExtend<ProducerConsumerRef<number, string>>()
    const isText = (event: unknown): event is string => typeof event === 'string'
    expectTypeOf(start(filter(isText))).toExtend<ProducerConsumerRef<unknown, string>>()
    expectTypeOf(start(batch<number>({ size: 3 }))).toExtend<ProducerConsumerRef<number, readonly number[]>>()
    expectTypeOf(start(debounce<number>(3))).toExtend<ProducerConsumerRef<number, number>>()
    expectTypeOf(start(take<number>(3))).toExtend<ProducerConsumerRef<number, number>>()
    expectTypeOf(start(rateLimited<number>({ events: 3, perMs: 1 }))).toExtend<ProducerConsumerRef<number, number>>()
    expectTypeOf(start(forEach((event: number) => event))).toExtend<ConsumerRef<number>>()
    const list = start(collect<number>())
    expectTypeOf(resultOf(list)).resolves.toEqualTypeOf<readonly number[]>()
    // @ts-expect-error a stage that has no result
    void resultOf(start(forEach((event: number) => event)))
  })
})
