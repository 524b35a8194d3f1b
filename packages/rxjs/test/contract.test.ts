import { type ConsumerRef, type ProducerRef, start } from '@genstage/core'
import { adapterContract, type OpenSink, type SinkAdapter, type SinkOptions, type SourceAdapter } from '@genstage/testing'
import { concatMap, delayWhen, from, type Observable, of, Subject } from 'rxjs'
import { describe, it } from 'vitest'
import { asObservable, type DoneWhen, fromObservable, throughOperators, toObserver } from '../src/index.ts'
import { watchedSubject } from './support/watched-subject.ts'

const observableSource: SourceAdapter = {
  kind: 'source',
  name: 'fromObservable',
  open(runtime, signal) {
    const { subject, watched, releases } = watchedSubject<unknown>()
    const ref = start(fromObservable(watched), { runtime, ...(signal === undefined ? {} : { signal }) })
    return {
      ref,
      push: events => events.forEach(event => subject.next(event)),
      end: () => subject.complete(),
      fail: error => subject.error(error),
      released: releases,
    }
  },
  unusable: {
    'no observable': runtime => start(fromObservable(42 as never), { runtime }),
    'made badly': runtime =>
      watched(
        start(
          fromObservable(() => ({}) as never),
          { runtime },
        ),
      ),
    broken: runtime =>
      watched(
        start(
          fromObservable({
            subscribe() {
              throw new Error('broken')
            },
          }),
          { runtime },
        ),
      ),
  },
}

function watched<Ref extends ProducerRef<unknown>>(ref: Ref): Ref {
  ref.monitor(() => {})
  return ref
}

/** An observer that can be held, by a gate that its events wait at. */
function observe(events$: Observable<unknown>): OpenSink {
  const received: unknown[] = []
  let finish!: (failure: unknown) => void
  const finished = new Promise<unknown>(resolve => (finish = resolve))
  const subscription = events$.subscribe({
    next: event => received.push(event),
    error: finish,
    complete: () => finish(undefined),
  })
  return {
    received: () => received,
    close() {
      subscription.unsubscribe()
      finish(undefined)
    },
    finished,
  }
}

const observableSink: SinkAdapter = {
  kind: 'sink',
  name: 'asObservable',
  open: (producer, { maxDemand, signal }) =>
    observe(asObservable(producer, { maxDemand, ...(signal === undefined ? {} : { signal }) })),
}

function observedBy(ref: ConsumerRef<unknown>, subject: Observable<unknown>): OpenSink {
  return { ...observe(subject), ref, close: () => void ref.stop() }
}

const observerSink: SinkAdapter = {
  kind: 'sink',
  name: 'toObserver',
  open(producer, { runtime, maxDemand }) {
    const subject = new Subject<unknown>()
    const ref = start(toObserver(subject), { runtime, subscribeTo: [{ to: producer, maxDemand }] })
    return observedBy(ref, subject)
  },
}

/** A stage with operators, and its results read by an observer. */
function operatorsSink(
  name: string,
  operators: (events$: Observable<unknown>) => Observable<unknown>,
  doneWhen: DoneWhen,
): SinkAdapter {
  return {
    kind: 'sink',
    name: `throughOperators, ${name}`,
    open(producer: ProducerRef<unknown>, { runtime, maxDemand }: SinkOptions): OpenSink {
      const ref = start(throughOperators(operators, { doneWhen }), { runtime, subscribeTo: [{ to: producer, maxDemand }] })
      ref.monitor(() => {})
      const sink = observe(asObservable(ref, { maxDemand: 1 }))
      return {
        ...sink,
        close() {
          sink.close()
          void ref.stop()
        },
      }
    },
  }
}

const later = () => from(Promise.resolve())

const contracts = [
  ...adapterContract(observableSource, { takesSignal: true, lookAhead: Infinity }),
  ...adapterContract(observableSink, { takesSignal: true }),
  ...adapterContract(observerSink),
  ...adapterContract(operatorsSink('none at all', events$ => events$, 'taken')),
  ...adapterContract(operatorsSink('at once', events$ => events$.pipe(concatMap(event => of(event))), 'result')),
  ...adapterContract(operatorsSink('later', events$ => events$.pipe(delayWhen(later)), 'taken')),
  ...adapterContract(operatorsSink('later, and counted', events$ => events$.pipe(delayWhen(later)), 'result')),
]

describe('the adapters of rxjs', () => {
  it.each(contracts.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })
})
