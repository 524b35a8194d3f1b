import { fromIterable, start } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import fc from 'fast-check'
import {
  bufferCount,
  concatMap,
  delayWhen,
  distinctUntilChanged,
  filter,
  from,
  map,
  mergeMap,
  type Observable,
  of,
  pairwise,
  scan,
  skip,
  startWith,
  take,
  takeLast,
  toArray,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { asObservable, type DoneWhen, throughOperators } from '../src/index.ts'
import { recordedRuntime } from './support/runtime.ts'

type Operator = (events$: Observable<unknown>) => Observable<unknown>

const later = (): Observable<void> => from(Promise.resolve())

/** Operators that keep the order of the events, at once and later. */
const operators: readonly (readonly [name: string, operator: Operator])[] = [
  ['map', events$ => events$.pipe(map(event => [event]))],
  ['filter', events$ => events$.pipe(filter((_, index) => index % 3 !== 1))],
  ['scan', events$ => events$.pipe(scan((count: number) => count + 1, 0))],
  ['skip', events$ => events$.pipe(skip(3))],
  ['take', events$ => events$.pipe(take(7))],
  ['takeLast', events$ => events$.pipe(takeLast(3))],
  ['pairwise', events$ => events$.pipe(pairwise())],
  ['startWith', events$ => events$.pipe(startWith('start'))],
  ['bufferCount', events$ => events$.pipe(bufferCount(4))],
  ['distinct', events$ => events$.pipe(distinctUntilChanged())],
  ['mergeMap', events$ => events$.pipe(mergeMap(event => of(event, event)))],
  ['concatMap', events$ => events$.pipe(concatMap(event => from(Promise.resolve(event))))],
  ['delayWhen', events$ => events$.pipe(delayWhen(later))],
]

const plan = fc.record({
  events: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }),
  chain: fc.array(fc.constantFrom(...operators), { minLength: 1, maxLength: 3 }),
  upstream: fc.integer({ min: 1, max: 12 }),
  downstream: fc.integer({ min: 1, max: 12 }),
})

const alone = (events: readonly unknown[], operator: Operator): Promise<unknown> =>
  new Promise((resolve, reject) => {
    operator(from(events)).pipe(toArray()).subscribe({ next: resolve, error: reject })
  })

describe('throughOperators', () => {
  it('INV-5 INV-6 INV-26 gives what the operators give alone, whatever the demand, however it is cut', async () => {
    const property = fc.asyncProperty(plan, async ({ events, chain, upstream, downstream }) => {
      const { runtime, discarded } = recordedRuntime()
      const operator: Operator = events$ => chain.reduce((result$, [, next]) => next(result$), events$)
      const source = start(fromIterable(events), { runtime })
      const stage = start(throughOperators(operator), { runtime, subscribeTo: [{ to: source, maxDemand: upstream }] })
      const result = await new Promise<unknown>((resolve, reject) => {
        asObservable(stage, { maxDemand: downstream }).pipe(toArray()).subscribe({ next: resolve, error: reject })
      })
      expect(result).toEqual(await alone(events, operator))
      // Of what operators have no use for, some may have been on its way
      if (!chain.some(([name]) => name === 'take')) expect(discarded).toEqual([])
      await runtime.stop()
    })
    await fc.assert(property, { seed: 20_261_122, numRuns: 300 })
  })

  it('INV-6 INV-23 with results that are counted, no more than maxDemand is ever inside, and nothing is lost', async () => {
    const step = fc.record({ turns: fc.integer({ min: 0, max: 3 }) })
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom<DoneWhen>('result', 'manual'),
      async (delays, maxDemand, doneWhen) => {
        const { runtime } = recordedRuntime()
        let inside = 0
        let most = 0
        const wait = async (index: number): Promise<number> => {
          most = Math.max(most, ++inside)
          for (let turn = delays[index]?.turns ?? 0; turn > 0; turn--) await Promise.resolve()
          inside--
          return index
        }
        const source = start(fromIterable(delays.keys()), { runtime })
        const stage = start(
          throughOperators(
            (events$: Observable<number>, done) =>
              events$.pipe(mergeMap(index => from(wait(index)).pipe(map(result => (done(), result))))),
            { doneWhen },
          ),
          { runtime, subscribeTo: [{ to: source, maxDemand }] },
        )
        const probe = probeConsumer<number>()
        await start(probe.definition, { runtime, subscribeTo: [stage] }).exited
        expect([...probe.events].sort((a, b) => a - b)).toEqual([...delays.keys()])
        expect(most).toBeLessThanOrEqual(maxDemand)
        await runtime.stop()
      },
    )
    await fc.assert(property, { seed: 20_261_122, numRuns: 200 })
  })
})
