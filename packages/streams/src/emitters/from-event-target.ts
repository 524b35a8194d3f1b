import { type FromPushOptions, GenStageError, type ProducerDefinition } from '@genstage/core'
import { ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { type EventNames, fromListening, hasMethods, type Listen, mapOf, namesOf, pushOptions } from './listen.ts'

/** Options of `fromEventTarget`: the overflow policy of `fromPush`, and what the target's events mean. */
export interface FromEventTargetOptions<out T, in E = Event> extends FromPushOptions {
  /** Makes an event of the stage of one of the target: `message => message.data`. Default: it is handed on as it is. */
  readonly map?: (event: E) => T
  /** Types of events that end the stage, `'close'` say. Default: none, it listens until it is stopped. */
  readonly end?: EventNames
  /** Types of events that fail it: with their `error` if they have one, else with the event itself. Default: none. */
  readonly error?: EventNames
}

/**
 * A producer of the events of an `EventTarget`, from its start to its end: a `WebSocket`, a `MessagePort`, an element, a signal. Targets
 * do not wait: what nobody has asked for is kept up to `bufferSize` (10,000), beyond that `overflow` decides (`dropOldest`,
 * `dropNewest` or `error`), and what is dropped is reported, as `fromPush` tells.
 *
 * All listeners are taken off when the stage ends. What `map` throws is the failure of the stage. Refuses what is no target, and an
 * empty type, with `BAD_SOURCE`; throws `BAD_OPTION`.
 *
 * ```ts
 * const target = new EventTarget()
 * const Names = fromEventTarget(target, 'greet', { map: (event: CustomEvent<string>) => event.detail, end: 'close' })
 * const names = start(Names)
 * await names.ready
 * target.dispatchEvent(new CustomEvent('greet', { detail: 'Ada' }))
 * target.dispatchEvent(new Event('close'))
 * for await (const name of names.stream({ cancel: 'transient' })) console.log(name) // => Ada
 * ```
 */
export function fromEventTarget<E = Event, T = E>(
  target: EventTarget | (() => EventTarget),
  type: string,
  options?: FromEventTargetOptions<T, E>,
): ProducerDefinition<T> {
  const where = 'fromEventTarget'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['bufferSize', 'overflow', 'onCancel', 'map', 'end', 'error'])
  if (typeof target !== 'function') checkTarget(where, target)
  if (typeof type !== 'string' || type === '') {
    throw new GenStageError('BAD_SOURCE', `${where}: the type must be the name of an event, not ${show(type)}`)
  }
  const open = (): Listen => {
    const source = isTarget(target) ? target : target()
    checkTarget(where, source)
    return (name, listener) => {
      const called = (event: unknown): void => listener(event)
      source.addEventListener(String(name), called)
      return () => source.removeEventListener(String(name), called)
    }
  }
  const names = { name: type, end: namesOf(where, own, 'end'), error: namesOf(where, own, 'error') }
  return fromListening(where, open, { ...names, map: mapOf<T>(where, own), errorOf }, pushOptions(own))
}

/** What an event that tells of a failure brings. */
function errorOf(event: unknown): unknown {
  const error = typeof event === 'object' && event !== null && 'error' in event ? event.error : undefined
  return error ?? event
}

function checkTarget(where: string, target: unknown): void {
  if (isTarget(target)) return
  throw new GenStageError('BAD_SOURCE', `${where}: the target must be an EventTarget, not ${show(target)}`)
}

function isTarget(target: unknown): target is EventTarget {
  return hasMethods(target, 'addEventListener', 'removeEventListener')
}
