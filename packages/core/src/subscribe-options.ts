import { ConsumerDemand } from './demand.ts'
import { GenStageError, show } from './errors.ts'
import type { SubscriptionSettings, UpstreamLink } from './links.ts'
import { NameToken } from './names.ts'
import { oneOf, optionsWithout, ownOptions, type OwnOptions, type Where, wholeNumber } from './options.ts'
import { deliveryLimit } from './redelivery.ts'
import { isRef } from './ref-base.ts'
import { resubscription } from './resubscription.ts'

/** Options that core knows, whichever dispatcher there is. */
export const coreSubscriptionOptions: readonly string[] = [
  'maxDemand',
  'minDemand',
  'cancel',
  'selector',
  'partition',
  'resubscribe',
  'redeliver',
]

const defaultMaxDemand = 1_000

/** Checks what only the consumer needs; everything else is for the producer to judge. Throws `BAD_OPTION`. */
export function checkSubscription(where: Where, given: OwnOptions, producerName: string | undefined): SubscriptionSettings {
  const max = wholeNumber(where, given, 'maxDemand', defaultMaxDemand, { min: 1 })
  const min = wholeNumber(where, given, 'minDemand', Math.floor(max / 2), { min: 0 })
  if (min >= max) {
    throw new GenStageError(
      'BAD_OPTION',
      `${where.toString()}: minDemand (${min}) must be below maxDemand (${max}), from 0 to ${max - 1}; try minDemand: ${Math.floor(max / 2)}`,
      { stage: where.label, option: 'minDemand' },
    )
  }
  const mode = oneOf(where, given, 'cancel', ['permanent', 'transient', 'temporary'], 'permanent')
  return {
    options: optionsWithout(given, 'to', 'replaces'),
    mode,
    demand: new ConsumerDemand(max, min),
    resubscription: resubscription(where, given, producerName),
    redelivers: deliveryLimit(where, given['redeliver']) > 0,
  }
}

/** An item of `subscribeTo`: a target alone, or options with `to` (GS-S11). */
export function itemOptions(where: Where, list: string, item: unknown): OwnOptions {
  if (isTarget(item)) return { to: item }
  if (typeof item === 'object' && item !== null && 'to' in item) return ownOptions(where, item)
  const text = `${where.toString()}: ${list} takes refs, names, or options with one of them as "to", not ${show(item)}`
  throw new GenStageError('NOT_A_STAGE', text, { stage: where.label, option: list })
}

/** Whether something can stand behind `to`. A plain string cannot: it promises nothing about its events. */
function isTarget(value: unknown): boolean {
  return value instanceof NameToken || isRef(value)
}

/** A subscription to be replaced, as the option was given (GS-S9). */
export function replacementOf(
  where: Where,
  given: OwnOptions,
  isLink: (value: unknown) => value is UpstreamLink,
): { readonly link: UpstreamLink; readonly reason: unknown } | undefined {
  const { replaces } = given
  if (replaces === undefined) return undefined
  if (isLink(replaces)) return { link: replaces, reason: 'normal' }
  const { subscription, reason } = ownOptions(where, replaces)
  if (isLink(subscription)) return { link: subscription, reason: reason ?? 'normal' }
  throw new GenStageError(
    'BAD_OPTION',
    `${where.toString()}: replaces must be a subscription, or { subscription, reason }, not ${show(replaces)}`,
    {
      stage: where.label,
      option: 'replaces',
    },
  )
}
