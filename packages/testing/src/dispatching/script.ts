import fc from 'fast-check'

/** One thing that happens to a dispatcher. */
export type Operation =
  | { readonly type: 'subscribe'; readonly seat: number }
  | { readonly type: 'ask'; readonly seat: number; readonly demand: number }
  | { readonly type: 'cancel'; readonly seat: number }
  /** A consumer fails, with so many of its last events not done. */
  | { readonly type: 'fail'; readonly seat: number; readonly undone: number }
  /** The producer emits, asked or not. */
  | { readonly type: 'emit'; readonly count: number }
  /** The producer emits as much as it was asked for, or less. */
  | { readonly type: 'supply'; readonly most: number }
  | { readonly type: 'info' }
  | { readonly type: 'wait'; readonly ms: number }

/** Scripts in which consumers come, ask, go and fail while events are emitted and time passes. */
export function scripts(seats: number): fc.Arbitrary<readonly Operation[]> {
  const seat = fc.nat({ max: seats - 1 })
  const some = fc.integer({ min: 1, max: 9 })
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('subscribe' as const), seat }) },
      { weight: 6, arbitrary: fc.record({ type: fc.constant('ask' as const), seat, demand: some }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const), seat }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('fail' as const), seat, undone: some }) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('emit' as const), count: some }) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('supply' as const), most: fc.integer({ min: 1, max: 20 }) }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('info' as const) }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
    ),
    { maxLength: 60, size: 'max' },
  )
}

/** A script as one reads it: `subscribe 0, ask 0 3, emit 5`. */
export function written(script: readonly Operation[]): string {
  return script.map(operation => Object.values(operation).join(' ')).join(', ')
}
