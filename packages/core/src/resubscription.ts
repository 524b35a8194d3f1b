import { GenStageError } from './errors.ts'
import {
  badOption,
  delay,
  isOptions,
  ownOptions,
  type OwnOptions,
  refuseUnknown,
  type Where,
  wholeNumber,
  within,
} from './options.ts'

const defaultMinDelayMs = 100
const defaultMaxDelayMs = 10_000

/** How one subscription is made anew after failures of its producer (X22): the same for all that follow each other. */
export class Resubscription<Link> {
  /** The latest of them: the one that a cancel means, whichever handle it comes through. */
  current: Link | undefined
  /** Whether it was cancelled, or replaced: then it is not made anew any more. */
  isOver = false
  readonly #minDelayMs: number
  readonly #maxDelayMs: number
  readonly #limit: number
  /** Tries since the producer last accepted. */
  #tries = 0

  constructor(minDelayMs: number, maxDelayMs: number, limit: number) {
    this.#minDelayMs = minDelayMs
    this.#maxDelayMs = maxDelayMs
    this.#limit = limit
  }

  /** The number of the try that is next, and the milliseconds until then; undefined when it is time to give up. */
  next(): { readonly attempt: number; readonly delayMs: number } | undefined {
    if (this.isOver || this.#tries >= this.#limit) return undefined
    const delayMs = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** this.#tries)
    this.#tries++
    return { attempt: this.#tries, delayMs }
  }

  /** The producer has accepted: the count begins anew. */
  succeeded(): void {
    this.#tries = 0
  }
}

/** The option `resubscribe`, checked. Throws `BAD_OPTION`; also when the producer has no name by which to find the next one. */
export function resubscription<Link>(
  where: Where,
  given: OwnOptions,
  producerName: string | undefined,
): Resubscription<Link> | undefined {
  const value = given['resubscribe']
  if (value === undefined) return undefined
  if (!isOptions(value)) {
    throw badOption(where, 'resubscribe', value, '{ minDelayMs, maxDelayMs, limit }, each of them optional')
  }
  if (producerName === undefined) {
    const text = `${where.toString()}: resubscribe needs a producer given by its typed name, to find the next one by`
    throw new GenStageError('BAD_OPTION', text, { stage: where.label, option: 'resubscribe' })
  }
  const inside = within(where, 'resubscribe')
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['minDelayMs', 'maxDelayMs', 'limit'])
  const minDelayMs = delay(inside, own, 'minDelayMs', defaultMinDelayMs)
  const maxDelayMs = delay(inside, own, 'maxDelayMs', Math.max(minDelayMs, defaultMaxDelayMs))
  if (minDelayMs > maxDelayMs) throw badOption(inside, 'minDelayMs', minDelayMs, `at most maxDelayMs (${maxDelayMs})`)
  const limit = wholeNumber(inside, own, 'limit', Infinity, { min: 1, infinity: true })
  return new Resubscription(minDelayMs, maxDelayMs, limit)
}
