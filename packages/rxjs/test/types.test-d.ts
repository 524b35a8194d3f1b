import type { ConsumerDefinition, ProducerConsumerDefinition, ProducerDefinition, ProducerRef } from '@genstage/core'
import { filter, map, type Observable, of, Subject } from 'rxjs'
import { describe, expectTypeOf, it } from 'vitest'
import { asObservable, fromObservable, throughOperators, toObserver } from '../src/index.ts'

declare const numbers: ProducerRef<number>

describe('types', () => {
  it('events are inferred from observables', () => {
    expectTypeOf(fromObservable(of(1, 2))).toEqualTypeOf<ProducerDefinition<number>>()
    expectTypeOf(fromObservable(() => new Subject<string>())).toEqualTypeOf<ProducerDefinition<string>>()
    // @ts-expect-error -- no observable
    fromObservable(42)
  })

  it('a stage is an observable of its events', () => {
    expectTypeOf(asObservable(numbers)).toEqualTypeOf<Observable<number>>()
    asObservable(numbers, { maxDemand: 5, selector: event => event > 1 })
    // @ts-expect-error -- an observer is told of every end
    asObservable(numbers, { cancel: 'temporary' })
  })

  it('both sides of operators are inferred', () => {
    const Labels = throughOperators((numbers$: Observable<number>) =>
      numbers$.pipe(
        filter(number => number > 1),
        map(number => `${number}`),
      ),
    )
    expectTypeOf(Labels).toEqualTypeOf<ProducerConsumerDefinition<number, string>>()
    // @ts-expect-error -- no observable comes out
    throughOperators((_numbers$: Observable<number>) => 42)
  })

  it('an observer says what it takes', () => {
    expectTypeOf(toObserver(new Subject<string>())).toEqualTypeOf<ConsumerDefinition<string>>()
    expectTypeOf(toObserver({ next: (event: number) => void event })).toEqualTypeOf<ConsumerDefinition<number>>()
  })
})
