import { type FromPushOptions, GenStageError, type ProducerDefinition } from '@genstage/core'
import { ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { type EventNames, fromListening, hasMethods, type Listen, mapOf, namesOf, pushOptions } from './listen.ts'

/** Whatever has `on` and `off`: Node's `EventEmitter`, eventemitter3, mitt, sockets, streams. */
export interface EmitterLike {
  on(event: string | symbol, listener: (...args: readonly unknown[]) => void): unknown
  off(event: string | symbol, listener: (...args: readonly unknown[]) => void): unknown
}

/** Options of `fromEventEmitter`: the overflow policy of `fromPush`, and what the emitter's events mean. */
export interface FromEventEmitterOptions<out T, in Args extends readonly unknown[] = readonly unknown[]> extends FromPushOptions {
  /** Makes an event of what was emitted: `(id: number, text: string) => ({ id, text })`. Default: the first argument. */
  readonly map?: (...args: Args) => T
  /** Names of events that end the stage, `'close'` say. Default: none, it listens until it is stopped. */
  readonly end?: EventNames
}

/**
 * A producer of what an emitter emits, from its start to its end: Node's `EventEmitter`, eventemitter3, anything with `on` and `off`.
 * Emitters do not wait: what nobody has asked for is kept up to `bufferSize` (10,000), beyond that `overflow` decides (`dropOldest`,
 * `dropNewest` or `error`), and what is dropped is reported, as `fromPush` tells.
 *
 * An `error` that is emitted ends the stage with that error. All listeners are taken off when the stage ends. What `map` throws is the
 * failure of the stage. Refuses what is no emitter, an empty name, and `error` as the name, with `BAD_SOURCE`; throws `BAD_OPTION`.
 *
 * ```ts
 * import { EventEmitter } from 'node:events'
 *
 * const prices = new EventEmitter()
 * const source = start(fromEventEmitter(prices, 'price', { map: (name: string, price: number) => ({ name, price }), end: 'close' }))
 * await source.ready
 * prices.emit('price', 'tea', 3)
 * prices.emit('price', 'milk', 1)
 * prices.emit('close')
 * for await (const { name, price } of source.stream({ cancel: 'transient' })) console.log(name, price)
 * // => tea 3
 * // => milk 1
 * ```
 */
export function fromEventEmitter<T = unknown, Args extends readonly unknown[] = readonly unknown[]>(
  emitter: EmitterLike | (() => EmitterLike),
  event: string | symbol,
  options?: FromEventEmitterOptions<T, Args>,
): ProducerDefinition<T> {
  const where = 'fromEventEmitter'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['bufferSize', 'overflow', 'onCancel', 'map', 'end'])
  if (typeof emitter !== 'function') checkEmitter(where, emitter)
  if (typeof event !== 'symbol' && (typeof event !== 'string' || event === '' || event === 'error')) {
    const text = `${where}: the event must be a name (not 'error', which ends the stage), not ${show(event)}`
    throw new GenStageError('BAD_SOURCE', text)
  }
  const open = (): Listen => {
    const source = isEmitter(emitter) ? emitter : emitter()
    checkEmitter(where, source)
    return (name, listener) => {
      source.on(name, listener)
      return () => void source.off(name, listener)
    }
  }
  const plan = { name: event, map: mapOf<T>(where, own), end: namesOf(where, own, 'end'), error: ['error'] }
  return fromListening(where, open, { ...plan, errorOf: error => error }, pushOptions(own))
}

function checkEmitter(where: string, emitter: unknown): void {
  if (isEmitter(emitter)) return
  throw new GenStageError('BAD_SOURCE', `${where}: the emitter must have on and off, not be ${show(emitter)}`)
}

function isEmitter(emitter: unknown): emitter is EmitterLike {
  return hasMethods(emitter, 'on', 'off')
}
