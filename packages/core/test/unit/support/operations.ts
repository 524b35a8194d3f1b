import fc from 'fast-check'

/** One thing that happens to a dispatcher. `who` picks among those it can happen to, whatever their number. */
export type Operation =
  | { readonly type: 'subscribe'; readonly who: number }
  | { readonly type: 'ask'; readonly who: number; readonly demand: number }
  | { readonly type: 'cancel'; readonly who: number }
  | { readonly type: 'dispatch'; readonly count: number }
  | { readonly type: 'info' }

const subscribe = fc.record({ type: fc.constant('subscribe' as const), who: fc.nat(9) })
const ask = fc.record({ type: fc.constant('ask' as const), who: fc.nat(9), demand: fc.integer({ min: 1, max: 12 }) })
const cancel = fc.record({ type: fc.constant('cancel' as const), who: fc.nat(9) })
const dispatch = fc.record({ type: fc.constant('dispatch' as const), count: fc.integer({ min: 1, max: 15 }) })
const info = fc.record({ type: fc.constant('info' as const) })

/** Scripts in which consumers come, ask and go while events are emitted. */
export const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: subscribe },
    { weight: 6, arbitrary: ask },
    { weight: 2, arbitrary: cancel },
    { weight: 5, arbitrary: dispatch },
    { weight: 1, arbitrary: info },
  ),
  { maxLength: 60, size: 'max' },
)

/** The same, with nobody leaving. */
export const operationsOfStayers: fc.Arbitrary<readonly Operation[]> = operations.map(script =>
  script.filter(operation => operation.type !== 'cancel'),
)

/** The one that `who` picks; undefined if there is none. */
export function pick<T>(list: readonly T[], who: number): T | undefined {
  return list[who % list.length]
}
