import { type ConsumerRef, defaultRuntime, type Definition, fromIterable, GenStageError, start } from '@genstage/core'
import type { IterableSource, StageRef, StageType, SubscribeOptions } from '@genstage/core'
import { abortSignal, ownOptions, type OwnOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { hasResult, type ResultRef, resultSoFar } from '../results.ts'
import type { Pipe } from './pipe-types.ts'
import { type PipedStage, RunningPipe } from './pipeline.ts'
import { ViaElement } from './via.ts'

const where = 'pipe'

/**
 * Starts a chain of stages: a source, any number of stages in the middle, a consumer. They live together: when the source ends, all that
 * is on its way comes out and each stage ends behind it; when a stage fails, all end; when one wants no more, as the consumer or `take`,
 * those above are stopped.
 *
 * `done` of the handle tells how it went, `result` brings what `collect` or `fold` made, `stop` stops it in order. An element is a
 * definition, or `via(definition, options)`. A failure that nobody watches, by reading `done`, `result` or `exited`, is raised as that of a
 * single stage.
 *
 * A stage in the middle of your own is drained when the stage above has ended: it should work with `ctx.signal`, not with `ctx.stopping`.
 * Throws what the starts throw, with nothing left running; `BAD_OPTION` for an element in the wrong place.
 *
 * ```ts
 * const lengths = pipe(['events', 'by', 'need'], map(word => word.length), collect())
 * console.log(await lengths.result) // => [ 6, 2, 4 ]
 * ```
 */
export const pipe: Pipe = ((...given: readonly unknown[]) => {
  const last = given.at(-1)
  const hasOptions = given.length > 0 && !isDefinition(last) && !(last instanceof ViaElement)
  const elements = hasOptions ? given.slice(0, -1) : given
  const own = ownOptions(where, hasOptions ? last : undefined)
  refuseUnknown(where, own, ['runtime', 'signal'])
  if (elements.length < 2) throw new GenStageError('BAD_OPTION', 'pipe: takes a source, stages in the middle, and a consumer')
  const signal = abortSignal(where, own)
  const source = elements[0]
  const runtime = own['runtime'] ?? (isRef(source) ? source.runtime : defaultRuntime)
  const stages = startAll(elements, runtime)
  const sink = stages.at(-1)
  if (sink === undefined) throw misplaced('consumer', 1, last)
  const result = (): unknown => (hasResult(sink.definition) ? resultSoFar(sink.ref as ResultRef<never, unknown>) : undefined)
  return new RunningPipe(stages, { runtime: sink.ref.runtime, signal, result })
}) as unknown as Pipe

function startAll(elements: readonly unknown[], runtime: unknown): readonly Started[] {
  const stages: Started[] = []
  try {
    let above: unknown
    elements.forEach((element, index) => {
      const place = index === 0 ? 'producer' : index === elements.length - 1 ? 'consumer' : 'producerConsumer'
      const piece = index === 0 ? sourcePiece(element) : pieceFrom(element)
      if (piece === undefined) above = element
      else {
        const stage = startOne(piece, place, index, runtime, above)
        stages.push(stage)
        above = stage.ref
      }
    })
  } catch (error) {
    for (const { ref } of stages) void ref.kill()
    throw error
  }
  return stages
}

/** A stage, and what it was started from. */
interface Started extends PipedStage {
  readonly definition: object
}

/** A definition, with options of its own. */
type Piece = Pick<ViaElement, 'definition' | 'start' | 'subscription'>

const none: OwnOptions = {}

function pieceFrom(element: unknown): Piece {
  return element instanceof ViaElement ? element : { definition: element, start: none, subscription: none }
}

/** What is to be started for the source; undefined if it is one that runs already. */
function sourcePiece(element: unknown): Piece | undefined {
  if (element instanceof ViaElement || isDefinition(element)) return pieceFrom(element)
  const isRunning = typeof element === 'object' && element !== null && 'name' in element && !isIterable(element)
  return isRunning ? undefined : pieceFrom(fromIterable(element as IterableSource<unknown>))
}

function startOne(piece: Piece, place: StageType, index: number, runtime: unknown, above: unknown): Started {
  const { definition } = piece
  if (!isDefinition(definition) || definition.type !== place) throw misplaced(place, index, definition)
  // What does not fit is refused by the start and by the subscription
  const ref = start(definition, { ...piece.start, runtime } as never) as ConsumerRef<unknown>
  if (place === 'producer') return { definition, ref, subscription: undefined }
  const cancel = place === 'consumer' ? 'permanent' : 'transient'
  try {
    return {
      definition,
      ref,
      subscription: ref.subscribe({ ...piece.subscription, to: above, cancel } as SubscribeOptions<unknown>),
    }
  } catch (error) {
    void ref.kill()
    throw error
  }
}

function misplaced(place: StageType, index: number, definition: unknown): GenStageError {
  const got = isDefinition(definition) ? `that of a ${definition.type}` : show(definition)
  return new GenStageError(
    'BAD_OPTION',
    `pipe: element ${index + 1} must be the definition of a ${place}, or via of one, not ${got}`,
  )
}

function isRef(value: unknown): value is StageRef {
  return typeof value === 'object' && value !== null && 'monitor' in value && 'runtime' in value
}

const stageTypes: readonly unknown[] = ['producer', 'producerConsumer', 'consumer', 'supervisor'] satisfies readonly StageType[]

function isDefinition(value: unknown): value is Definition<unknown, unknown, StageRef> {
  return typeof value === 'object' && value !== null && 'type' in value && stageTypes.includes(value.type) && !isRef(value)
}

function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value
}
