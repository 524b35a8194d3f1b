import { badOption, type OwnOptions, wholeNumber } from '@genstage/core/adapters'

/** The demand of a subscription that is made later: checked now. */
export function checkDemand(where: string, own: OwnOptions): { readonly max: number; readonly min: number } {
  const max = wholeNumber(where, own, 'maxDemand', 1_000, { min: 1 })
  const min = wholeNumber(where, own, 'minDemand', Math.floor(max / 2), { min: 0 })
  if (min >= max) throw badOption(where, 'minDemand', min, `below maxDemand (${max})`)
  return { max, min }
}

/** What the platform takes as strategy of a queue; refuses what it would take and nobody can mean (`BAD_OPTION`). */
export function strategyOf<T>(where: string, own: OwnOptions, fallback: number): QueuingStrategy<T> {
  const highWaterMark = wholeNumber(where, own, 'highWaterMark', fallback, { min: 0 })
  const { size } = own
  if (size === undefined) return { highWaterMark }
  if (typeof size !== 'function') throw badOption(where, 'size', size, 'a function that answers the size of an event')
  return { highWaterMark, size: size as QueuingStrategySize<T> }
}

/** Calls back when the signal is aborted, at once if it is already. Answers how to call that off. */
export function whenAborted(signal: AbortSignal | undefined, aborted: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {}
  const listener = (): void => aborted(signal.reason)
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}
