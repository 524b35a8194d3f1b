/** rxjs alone against the adapters of `@genstage/rxjs`: the same sum, of the same events, by the same operators. */
import { consumer, fromIterable, type ProducerRef, start } from '@genstage/core'
import { asObservable, fromObservable, throughOperators, toObserver } from '@genstage/rxjs'
import { filter, from, map, type Observable, reduce, Subject as RxSubject } from 'rxjs'
import type { Comparison, Subject } from '../subject.ts'

function* numbers(count: number): Generator<number> {
  for (let number = 1; number <= count; number++) yield number
}

const work = (events$: Observable<number>): Observable<number> =>
  events$.pipe(
    map(event => event * 3),
    filter(event => event % 2 === 0),
  )

/** The sum of an observable. */
function sumOf(events$: Observable<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    events$.pipe(reduce((sum, event) => sum + event, 0)).subscribe({ next: resolve, error: reject })
  })
}

const Sum = consumer((done: (sum: number) => void) => {
  let sum = 0
  return {
    handleEvents(events: readonly number[]) {
      for (const event of events) sum += event
    },
    terminate: () => done(sum),
  }
})

/** The sum of what a stage emits. */
function sumOfStage(source: ProducerRef<number>): Promise<number> {
  return new Promise(resolve => void start(Sum, { arg: resolve, subscribeTo: [source] }))
}

const source = (count: number): ProducerRef<number> => start(fromIterable(numbers(count)))

/** The sum of 1 to `count`. */
const all: Pick<Comparison, 'expected' | 'step' | 'most'> = {
  expected: count => (count * (count + 1)) / 2,
  step: 100_000,
  most: 20_000_000,
}

/** The sum of three times the even ones: a step is even, so there are half as many. */
const worked: typeof all = { ...all, expected: count => 3 * (count / 2) * (count / 2 + 1) }

export const subject: Subject = {
  title: 'rxjs',
  packages: ['rxjs'],
  comparisons: {
    through: {
      what: 'throughOperators: map and filter',
      ...worked,
      direct: count => sumOf(work(from(numbers(count)))),
      stages: count => sumOfStage(start(throughOperators(work), { subscribeTo: [source(count)] })),
    },
    read: {
      what: 'asObservable: a stage read as an observable',
      ...all,
      direct: count => sumOf(from(numbers(count))),
      stages: count => sumOf(asObservable(source(count))),
    },
    from: {
      what: 'fromObservable: an observable read by a stage',
      ...all,
      direct: count => sumOf(from(numbers(count))),
      stages: count => sumOfStage(start(fromObservable(() => from(numbers(count)), { bufferSize: Infinity }))),
    },
    written: {
      what: 'toObserver: a stage that writes to an observer',
      ...all,
      direct: count => sumOf(from(numbers(count))),
      stages(count) {
        const events = new RxSubject<number>()
        const sum = sumOf(events)
        start(toObserver(events), { subscribeTo: [source(count)] })
        return sum
      },
    },
  },
}
