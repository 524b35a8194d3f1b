import type { WorkerOptions } from 'node:worker_threads'
import type { ConsumerRef, Definition, ProducerRef, StageRef } from '@genstage/core'
import { badOption, oneOf, ownOptions, refuseUnknown, within } from '@genstage/core/adapters'
import type { Packing } from './cargo.ts'

/** A definition that can run on a thread: of a consumer or a producer-consumer. */
export type AnyDefinition = Definition<never, never, StageRef>

/** Options of `onThread`. */
export type OnThreadOptions<D extends AnyDefinition> = ThreadOptions & TypeOption<D>

/** How a stage is on its thread. */
export interface ThreadOptions {
  /** The export of the module that is the definition. Default `default`. */
  readonly export?: string
  /**
   * How events cross. `clone` (the default) is the structured clone of the platform, which takes nearly everything. `json` sends one
   * text for a batch: for small flat objects nearly twice as fast, and what JSON changes is changed (`undefined`, `Date`, `Map`, `NaN`).
   */
  readonly encoding?: 'clone' | 'json'
  /**
   * `buffers`: the memory of events that are typed arrays or `ArrayBuffer`s, or have some as properties, goes to the other side
   * instead of being copied. On this side it is gone, for everybody. Default `none`. What comes over a subscription with `redeliver` is
   * copied in any case.
   */
  readonly transfer?: 'none' | 'buffers'
  /** Options of the worker: memory limits, environment, flags of Node. Default: those of this thread, and the stage's name. */
  readonly worker?: ThreadWorkerOptions
}

/** Options of `Worker` in `node:worker_threads` that are of use here. */
export type ThreadWorkerOptions = Pick<WorkerOptions, 'argv' | 'env' | 'execArgv' | 'name' | 'resourceLimits'>

/** The kind has to be known before the module is: the compiler sees to it that it is the right one. */
export type TypeOption<D extends AnyDefinition> = [RefOf<D>] extends [ConsumerRef<never>]
  ? [RefOf<D>] extends [ProducerRef<unknown>]
    ? {
        /** The kind of stage that the export defines. Default `producerConsumer`. */
        readonly type?: 'producerConsumer'
      }
    : {
        /** The kind of stage that the export defines. */
        readonly type: 'consumer'
      }
  : never

type RefOf<D> = D extends Definition<never, never, infer Ref> ? Ref : never

/** The options, checked. */
export interface ThreadSettings {
  readonly export: string
  readonly type: 'consumer' | 'producerConsumer'
  readonly packing: Packing
  readonly worker: ThreadWorkerOptions
}

const where = 'onThread'

export function threadSettings(options: unknown): ThreadSettings {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['export', 'type', 'encoding', 'transfer', 'worker'])
  const { export: name = 'default' } = own
  if (typeof name !== 'string' || name === '') throw badOption(where, 'export', name, 'the name of an export')
  return {
    export: name,
    type: oneOf(where, own, 'type', ['consumer', 'producerConsumer'], 'producerConsumer'),
    packing: {
      encoding: oneOf(where, own, 'encoding', ['clone', 'json'], 'clone'),
      transfer: oneOf(where, own, 'transfer', ['none', 'buffers'], 'none'),
    },
    worker: workerOptions(own['worker']),
  }
}

function workerOptions(value: unknown): ThreadWorkerOptions {
  const inside = within(where, 'worker')
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['argv', 'env', 'execArgv', 'name', 'resourceLimits'])
  // Their values are the platform's to check, when the thread begins
  return { ...own }
}
