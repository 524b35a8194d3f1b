import { start } from '@genstage/core'
import {
  bufferCount,
  bufferTime,
  catchError,
  concatMap,
  debounceTime,
  delay,
  distinctUntilChanged,
  exhaustMap,
  filter,
  map,
  mergeMap,
  type Observable,
  of,
  pairwise,
  scan,
  startWith,
  switchMap,
  take,
  throttleTime,
  timer,
  toArray,
} from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { asObservable, fromObservable, throughOperators } from '../src/index.ts'
import { marbleRuntime } from './support/marble-runtime.ts'

type Operator = (events$: Observable<string>) => Observable<unknown>

const operators: Readonly<Record<string, Operator>> = {
  map: events$ => events$.pipe(map(event => `${event}!`)),
  filter: events$ => events$.pipe(filter(event => event !== 'b')),
  scan: events$ => events$.pipe(scan((all, event) => all + event, '')),
  pairwise: events$ => events$.pipe(pairwise()),
  startWith: events$ => events$.pipe(startWith('start')),
  distinctUntilChanged: events$ => events$.pipe(distinctUntilChanged()),
  bufferCount: events$ => events$.pipe(bufferCount(2)),
  toArray: events$ => events$.pipe(toArray()),
  'take(2)': events$ => events$.pipe(take(2)),
  'delay(53)': events$ => events$.pipe(delay(53)),
  'debounceTime(13)': events$ => events$.pipe(debounceTime(13)),
  'throttleTime(33)': events$ => events$.pipe(throttleTime(33)),
  'bufferTime(44)': events$ => events$.pipe(bufferTime(44), take(4)),
  mergeMap: events$ => events$.pipe(mergeMap(event => of(event, event).pipe(delay(23)))),
  concatMap: events$ => events$.pipe(concatMap(event => timer(47).pipe(map(() => event)))),
  switchMap: events$ => events$.pipe(switchMap(event => timer(17).pipe(map(() => event)))),
  exhaustMap: events$ => events$.pipe(exhaustMap(event => timer(33).pipe(map(() => event)))),
  catchError: events$ =>
    events$.pipe(
      map(event => {
        if (event === 'c') throw new Error('c')
        return event
      }),
      catchError(() => of('caught')),
    ),
  'an error': events$ =>
    events$.pipe(
      map(event => {
        if (event === 'c') throw new Error('no c')
        return event
      }),
    ),
}

// Events come at frames that are multiples of 10, and no timer of an operator is one: what falls on the same frame has no order
const inputs = [
  '10ms |',
  'a 9ms |',
  '10ms a 19ms b 9ms c 39ms d 9ms |',
  '(abc) 5ms (bb) 16ms |',
  'a 19ms b 19ms c 19ms d 19ms e 19ms f 19ms g 39ms |',
  '20ms a 49ms b 59ms c 69ms |',
]

describe('INV-5 INV-6 operators inside a stage give the marbles that they give alone', () => {
  it.each(Object.entries(operators))('%s', (_name, operator) => {
    for (const input of inputs) {
      const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
      scheduler.run(({ hot, expectObservable }) => {
        const runtime = marbleRuntime(scheduler)
        const input$: Observable<string> = hot(input)
        const source = start(fromObservable(input$), { runtime })
        const stage = start(throughOperators(operator), { runtime, subscribeTo: [source] })
        stage.monitor(() => {})
        expectObservable(asObservable(stage)).toEqual(operator(hot(input)))
      })
    }
  })

  it('delay: written out', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
    scheduler.run(({ hot, expectObservable }) => {
      const runtime = marbleRuntime(scheduler)
      const input$: Observable<string> = hot('-a-(bc)----d|')
      const source = start(fromObservable(input$), { runtime })
      const stage = start(
        throughOperators((events$: Observable<string>) => events$.pipe(delay(4))),
        { runtime, subscribeTo: [source] },
      )
      expectObservable(asObservable(stage)).toBe('-----a-(bc)----(d|)')
    })
  })
})
