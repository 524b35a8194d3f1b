import {
  consumer,
  type ConsumerDefinition,
  type Context,
  GenStageError,
  ignore,
  inFlight,
  producerConsumer,
  type ProducerConsumerCallbacks,
} from '@genstage/core'
import { show } from '@genstage/core/adapters'
import { Note, ThreadLink } from './thread-link.ts'
import { type AnyDefinition, type OnThreadOptions, type ThreadSettings, threadSettings } from './thread-options.ts'

/**
 * The definition of a stage whose setup and callbacks run on a worker thread: a thread for each stage that is started. The module exports
 * an ordinary `consumer` or `producerConsumer`, and `D` is its type. What the stage has to do otherwise stays as it is: names,
 * supervision, dispatchers, telemetry. The stage ends with its thread: with the error of a callback, or with `WORKER_FAILED`.
 *
 * Argument, events and messages are copied to the thread and back; what cannot be copied fails the stage with `NOT_CLONEABLE`.
 *
 * Throws `BAD_OPTION` for a module that is no URL, and for options. What is wrong with the module fails the start: `SETUP_FAILED` if it
 * cannot be loaded, `BAD_OPTION` if it has no such export, or one of another kind.
 *
 * ```ts no-run
 * export const Double = producerConsumer(() => ({
 *   handleEvents: (numbers: readonly number[]) => numbers.map(number => number * 2),
 * }))
 *
 * // elsewhere, with: import type { Double } from './double.ts'
 * const OnThread = onThread<typeof Double>(new URL('./double.ts', import.meta.url), { export: 'Double' })
 * const doubled = start(OnThread, { subscribeTo: [start(fromIterable([1, 2, 3]))] })
 * for await (const number of doubled.stream({ cancel: 'transient' })) console.log(number)
 * ```
 */
export function onThread<D extends AnyDefinition>(module: URL | string, options: OnThreadOptions<D>): D {
  const url = moduleUrl(module)
  const settings = threadSettings(options)
  const setup = (arg: unknown, ctx: Context): Promise<Callbacks | typeof ignore> => setUp(url, settings, arg, ctx)
  const define = settings.type === 'consumer' ? consumer : producerConsumer
  // Only the module knows the types: `D` is what the caller says of it
  return (define as DefineAnything)(setup) as unknown as D
}

type Callbacks = ProducerConsumerCallbacks<unknown, unknown, unknown, unknown, unknown, unknown>

/** A consumer has the same callbacks; what it returns is always empty. */
type DefineAnything = (
  setup: (arg: unknown, ctx: Context) => Promise<Callbacks | typeof ignore>,
) => ConsumerDefinition<unknown, unknown>

function moduleUrl(module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module === 'string' && URL.canParse(module)) return module
  throw new GenStageError(
    'BAD_OPTION',
    `onThread: the module must be a URL, as new URL('./stage.ts', import.meta.url) makes one, not ${show(module)}`,
    { option: 'module' },
  )
}

/** Begins the thread, and answers with callbacks that have those on the thread called. */
async function setUp(module: string, settings: ThreadSettings, arg: unknown, ctx: Context): Promise<Callbacks | typeof ignore> {
  const { export: name, type, packing, worker } = settings
  const { name: stageName, restartCount } = ctx
  const label = stageName ?? ctx.self.id
  const opening = {
    genstage: 'stage on a thread',
    module,
    export: name,
    type,
    arg,
    label,
    name: stageName,
    restartCount,
    packing,
  } as const
  const link = new ThreadLink(ctx, opening, worker)
  const { as, callbacks } = await link.started
  if (as === 'ignored') return ignore
  const has = (callback: string): boolean => callbacks.includes(callback)

  return {
    // The next batch is sent while this one is under way, so the thread need not wait
    handleEvents: (events, from) => inFlight(link.handle(events, from)),

    handleSubscribe(from) {
      if (from.role === 'consumer') return undefined
      const mode = link.subscribed(from)
      if (has('handleSubscribe')) return mode
      mode.catch(alreadyTold)
      return 'automatic'
    },

    handleCancel(ended, from) {
      if (from.role === 'consumer') return undefined
      const emitted = link.cancelled(ended, from)
      if (has('handleCancel')) return emitted
      emitted.catch(alreadyTold)
      return undefined
    },

    handleInfo(message) {
      if (!(message instanceof Note)) return link.info(message)
      message.work()
      return link.takeEmitted()
    },

    ...(has('handleCast') && { handleCast: message => link.cast(message) }),
    ...(has('handleCall') && { handleCall: async (request, reply) => ({ events: await link.call(request, reply) }) }),

    terminate: reason => link.stop(reason),
  }
}

/** A thread that fails makes its stage fail, whatever was asked of it. */
function alreadyTold(): void {}
