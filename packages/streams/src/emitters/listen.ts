import type { FromPushOptions, ProducerDefinition, PushSink } from '@genstage/core'
import { badOption, optionsWithout, type OwnOptions, pushSource } from '@genstage/core/adapters'

/** One name of an event, or several. */
export type EventNames = string | readonly string[]

/** Calls a listener on every event of that name; answers how to end that. */
export type Listen = (name: string | symbol, listener: (...args: readonly unknown[]) => void) => () => void

/** What is to become of the events of an emitter. */
export interface ListenPlan<T> {
  /** The event that is wanted. */
  readonly name: string | symbol
  /** Makes what the stage emits of what the emitter does. */
  readonly map: (...args: readonly unknown[]) => T
  /** Events that end the stage. */
  readonly end: readonly string[]
  /** Events that fail it, with the error that is made of what they bring. */
  readonly error: readonly string[]
  readonly errorOf: (...args: readonly unknown[]) => unknown
}

/** A source that is pushed what an emitter emits. `open` runs at every start, and finds the emitter; errors tell `where`. */
export function fromListening<T>(
  where: string,
  open: () => Listen,
  plan: ListenPlan<T>,
  options: FromPushOptions,
): ProducerDefinition<T> {
  const connect = (sink: PushSink<T>): (() => void) => {
    const listen = open()
    const mapped = (...args: readonly unknown[]): void => {
      let event: T
      try {
        event = plan.map(...args)
      } catch (error) {
        // It must not reach whoever emitted
        return sink.fail(error)
      }
      sink.push(event)
    }
    const stops = [
      ...plan.error.map(name => listen(name, (...args) => sink.fail(plan.errorOf(...args)))),
      ...plan.end.map(name => listen(name, () => sink.end())),
      listen(plan.name, mapped),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }
  return pushSource(where, connect, options)
}

/** The options that are for `pushSource`, which checks them. */
export function pushOptions(own: OwnOptions): FromPushOptions {
  return optionsWithout(own, 'end', 'error', 'map')
}

/** The function that makes events, or the one that takes the first of what was emitted. */
export function mapOf<T>(where: string, own: OwnOptions): ListenPlan<T>['map'] {
  const { map = (first: unknown) => first } = own
  if (typeof map === 'function') return map as ListenPlan<T>['map']
  throw badOption(where, 'map', map, 'a function that makes an event')
}

/** The names that an option gives. */
export function namesOf(where: string, own: OwnOptions, option: string): readonly string[] {
  const { [option]: value = [] } = own
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (names.every(name => typeof name === 'string' && name !== '')) return names as readonly string[]
  throw badOption(where, option, value, 'the name of an event, or a list of names')
}

/** Whether it is an object (a function may be one) with these methods. */
export function hasMethods(value: unknown, ...names: readonly string[]): value is object {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false
  return names.every(name => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
}
