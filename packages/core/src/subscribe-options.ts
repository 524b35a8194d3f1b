import { ConsumerDemand } from './demand.ts'
import { GenStageError, show } from './errors.ts'
import type { UpstreamLink } from './links.ts'
import { NameToken } from './names.ts'
import { oneOf, optionsWithout, ownOptions, type OwnOptions, type Where, wholeNumber } from './options.ts'
import { isRef } from './ref-base.ts'
import type { SubscriptionOptions } from './refs.ts'
import type { CancelMode } from './types.ts'

/** The options of a subscription, checked (GS-S3). */
export interface SubscriptionSettings {
  /** As they were given, for the producer and for callbacks. */
  readonly options: SubscriptionOptions
  readonly mode: CancelMode
  readonly demand: ConsumerDemand
}

/** Options that core knows, whichever dispatcher there is. */
export const coreSubscriptionOptions: readonly string[] = ['maxDemand', 'minDemand', 'cancel', 'selector', 'partition']

const defaultMaxDemand = 1_000

/** Checks what only the consumer needs; everything else is for the producer to judge. Throws `BAD_OPTION`. */
export function checkSubscription(where: Where, given: OwnOptions): SubscriptionSettings {
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
  return { options: optionsWithout(given, 'to', 'replaces'), mode, demand: new ConsumerDemand(max, min) }
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
