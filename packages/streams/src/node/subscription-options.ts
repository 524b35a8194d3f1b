import { GenStageError, type SubscriptionOptions } from '@genstage/core'
import { badOption, optionsWithout, type OwnOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'

/** Options of the subscription that a foreign stream makes. How it ends is not among them: a good end ends the stream, a failure fails it. */
export type StreamSubscriptionOptions<Event = unknown> = Omit<SubscriptionOptions<Event>, 'cancel' | 'resubscribe' | 'redeliver'>

/** The demand of a subscription: never more than `max` in flight, asked for again in portions of `chunk`. */
export interface Demand {
  readonly max: number
  readonly chunk: number
}

export function checkDemand(where: string, own: OwnOptions): Demand {
  const max = wholeNumber(where, own, 'maxDemand', 1_000, { min: 1 })
  const min = wholeNumber(where, own, 'minDemand', Math.floor(max / 2), { min: 0 })
  if (min < max) return { max, chunk: max - min }
  throw new GenStageError('BAD_OPTION', `${where}: minDemand (${min}) must be below maxDemand (${max})`, { option: 'minDemand' })
}

/** Options that would mean something to a stage alone. */
const ofStages = ['to', 'replaces', 'cancel', 'resubscribe', 'redeliver']

/** What the producer is told: all but the stream's own options. What is in it is for the producer to judge, as with any subscription. */
export function subscriptionPart(where: string, own: OwnOptions, streamOptions: readonly string[]): OwnOptions {
  const rest = optionsWithout(own, ...streamOptions)
  for (const option of ofStages) {
    if (option in rest)
      refuseUnknown(where, { [option]: true }, ['maxDemand', 'minDemand', 'selector', 'partition', 'weight', ...streamOptions])
  }
  return rest
}

/** Options of a Node stream, checked (BAD-63, BAD-68): those that were given. */
export function streamPart(
  where: string,
  own: OwnOptions,
  names: { readonly flags: readonly string[]; readonly sizes: readonly string[] },
): Readonly<Record<string, unknown>> {
  const checked: Record<string, unknown> = {}
  for (const name of names.flags) {
    const value = own[name]
    if (value === undefined) continue
    if (typeof value !== 'boolean') throw badOption(where, name, value, 'true or false')
    checked[name] = value
  }
  for (const name of names.sizes) if (name in own) checked[name] = wholeNumber(where, own, name, 0, { min: 0 })
  return checked
}
