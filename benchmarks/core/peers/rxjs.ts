/** rxjs: events are pushed one by one through synchronous calls, without back-pressure. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  asapScheduler,
  bufferCount,
  concatMap,
  filter,
  groupBy,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  Observable,
  observeOn,
  range,
  reduce,
  Subject,
} from 'rxjs'
import { installedVersion } from '../../harness/installed-version.ts'
import { branches, branchOf, concurrency, double, isMultipleOfThree } from '../events.ts'
import type { Flow, Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

/** Subscribes and resolves with the sum when the source has completed. */
function sumOf(source: Observable<number>): Promise<number> {
  const sink = new Tally()
  return new Promise((resolve, reject) => {
    source.subscribe({ next: event => sink.add(event), error: reject, complete: () => resolve(sink.sum) })
  })
}

/** A push source has no demand to follow: 1000 events per turn of the loop. */
function firehose(flow: Flow): Observable<number> {
  return new Observable(subscriber => {
    let next = 0
    const turn = () => {
      flow.make(1_000)
      for (let index = 0; index < 1_000; index++) subscriber.next(next++)
      setImmediate(turn)
    }
    turn()
  })
}

export const rxjs: Peer = {
  label: `rxjs ${installedVersion('rxjs')}`,
  rates: {
    'WL-1': count => sumOf(range(0, count)),
    'WL-2': count => sumOf(range(0, count).pipe(map(double), filter(isMultipleOfThree))),
    'WL-3'(count) {
      const sinks = tallies(branches)
      const subject = new Subject<number>()
      for (const sink of sinks) subject.subscribe(event => sink.add(event))
      range(0, count).subscribe(subject)
      return total(sinks)
    },
    'WL-4': count =>
      sumOf(
        range(0, count).pipe(
          groupBy(branchOf),
          mergeMap(group => group.pipe(reduce((sum, event) => sum + event, 0))),
        ),
      ),
    'WL-6': count => sumOf(merge(...Array.from({ length: branches }, () => range(0, count / branches)))),
    'WL-7': count => sumOf(range(0, count).pipe(observeOn(asapScheduler))),
    async 'WL-8a'(count) {
      const sink = new Tally()
      await lastValueFrom(range(0, count).pipe(concatMap(event => sink.addLater(event))))
      return sink.sum
    },
    async 'WL-8b'(count) {
      const sink = new Tally()
      await lastValueFrom(range(0, count).pipe(mergeMap(event => sink.addNextTurn(event), concurrency)))
      return sink.sum
    },
  },
  // Its scheduler keeps what waits in a list and takes out of it what is done by looking for it
  mostEvents: { 'WL-7': 48_000 },
  backlog(flow) {
    firehose(flow)
      .pipe(
        bufferCount(100),
        concatMap(async events => {
          await sleep(1)
          flow.use(events.length)
        }),
      )
      .subscribe()
  },
  idlePairs(count) {
    return Array.from({ length: count }, () => {
      const source = new Subject<number>()
      const sink = new Tally()
      source.subscribe(event => sink.add(event))
      return source
    })
  },
}
