import { consumer, type ConsumerCallbacks, type ConsumerOptions, type ConsumerRef, type Context } from '@genstage/core'
import { type Definition, GenStageError, type Maybe, type StageRef } from '@genstage/core'
import { show } from '@genstage/core/adapters'

declare const gives: unique symbol

/** A consumer that has a result when it has ended. */
export interface ResultRef<in In, out Result> extends ConsumerRef<In> {
  readonly [gives]: Result
}

/** Definition of a consumer that has a result when it has ended: of `collect`, `fold`. */
export interface ResultDefinition<in In, out Result> extends Definition<void, ConsumerOptions<In>, ResultRef<In, Result>> {}

const definitions = new WeakSet<object>()

/** Whether the stages of a definition have results. */
export function hasResult(definition: object): definition is ResultDefinition<never, unknown> {
  return definitions.has(definition)
}

/** How to get at the results of stages, as long as somebody has their refs. */
const results = new WeakMap<StageRef, () => unknown>()

/**
 * The result of a consumer that was made by `collect` or `fold`: resolves when it has ended, also when it was stopped before the end of
 * its source. Rejects when the consumer has failed or was killed: `STAGE_FAILED`, with the error as its `cause`; and with `STOPPED` when
 * it was stopped before it had begun. Reading it counts as watching the stage. In a `pipe` it is the `result` of the chain.
 *
 * ```ts
 * const letters = start(collect<string>(), { subscribeTo: [start(fromIterable(['a', 'b']))] })
 * console.log(await resultOf(letters)) // => [ 'a', 'b' ]
 * ```
 */
export async function resultOf<Result>(ref: ResultRef<never, Result>): Promise<Result> {
  await ref.done
  return resultSoFar(ref)
}

/** What the result would be if the stage ended now. */
export function resultSoFar<Result>(ref: ResultRef<never, Result>): Result {
  const result = results.get(ref)
  if (result !== undefined) return result() as Result
  const stage = ref.name ?? ref.id
  throw new GenStageError('STOPPED', `stage ${show(stage)} was stopped before it had begun: there is no result`, { stage })
}

/** What a consumer with a result does. */
interface ResultCallbacks<In, Result> {
  handleEvents(events: readonly In[]): Maybe<void>
  result(): Result
  /** The stage is over. */
  close?(): void
}

/** Defines a consumer with a result. */
export function consumerWithResult<In, Result>(
  setup: (ctx: Context) => ResultCallbacks<In, Result>,
): ResultDefinition<In, Result> {
  const definition = consumer((_: void, ctx: Context): ConsumerCallbacks<In, never, unknown, never, never> => {
    const { handleEvents, result, close } = setup(ctx)
    results.set(ctx.self, result)
    return { handleEvents, terminate: () => close?.() }
  })
  definitions.add(definition)
  return definition as ResultDefinition<In, Result>
}
