import { type Definition, StageDefinition, type StartOptions } from './definition.ts'
import type { DispatcherFactory } from './dispatcher.ts'
import { demandDispatcher } from './dispatchers/demand.ts'
import { GenStageError, show } from './errors.ts'
import { NameToken } from './names.ts'
import {
  abortSignal,
  badOption,
  duration,
  oneOf,
  ownOptions,
  type OwnOptions,
  refuseUnknown,
  wholeNumber,
  StagePlace,
  type Where,
} from './options.ts'
import type { ProducingSettings } from './producer-side.ts'
import type { StageRef } from './refs.ts'
import { defaultRuntime, RuntimeCore } from './runtime.ts'
import { Stage } from './stage.ts'
import { addressOf, Ref, subscriptionRequest } from './stage-ref.ts'
import { isRef } from './ref-base.ts'
import { itemOptions } from './subscribe-options.ts'
import type { StageType } from './types.ts'

const everyStage = ['arg', 'name', 'runtime', 'signal', 'link', 'startTimeout']
const producing = ['dispatcher', 'bufferSize', 'bufferKeep']

/** Which options each kind takes (GS-L3, L5, L6). */
const optionsOf: Readonly<Record<StageType, readonly string[]>> = {
  producer: [...everyStage, ...producing, 'demand'],
  producerConsumer: [...everyStage, ...producing, 'subscribeTo'],
  consumer: [...everyStage, 'subscribeTo'],
}

/**
 * Starts a definition. Options are checked now (`BAD_OPTION`, `NOT_A_STAGE`, `NAME_TAKEN` are thrown); setup runs as the stage's
 * first message, and everything sent before it is done waits. `await ref.ready` to know that it is (GS-L1, J19).
 *
 * ```ts
 * const Counter = producer((first: number) => {
 *   let next = first
 *   return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
 * })
 * const counter = start(Counter, { arg: 1, name: 'counter' })
 * console.log(await counter.ready) // => started
 * console.log((await counter.stop()).type) // => normal
 * ```
 */
export function start<Options, Ref extends StageRef>(definition: Definition<undefined, Options, Ref>): Ref
export function start<Arg, Options, Ref extends StageRef>(
  definition: Definition<Arg, Options, Ref>,
  options: Options & StartOptions<Arg, Ref>,
): Ref
export function start(definition: unknown, options?: unknown): StageRef {
  if (!(definition instanceof StageDefinition)) {
    throw new GenStageError(
      'BAD_OPTION',
      `start takes a definition (made by producer, producerConsumer or consumer), not ${show(definition)}`,
      {
        option: 'definition',
      },
    )
  }
  const { type, setup } = definition
  const unnamed = ownOptions(`start of a ${type}`, options)
  const name = nameOf(type, unnamed)
  const where = new StagePlace(name ?? type)
  refuseUnknown(where, unnamed, optionsOf[type])
  const runtime = runtimeOf(where, unnamed)
  const link = linkOf(where, unnamed)
  const { startTimeout } = unnamed
  const stage = new Stage(
    {
      type,
      setup,
      arg: unnamed['arg'],
      name,
      runtime,
      producing: type === 'consumer' ? undefined : producingSettings(where, type, unnamed),
      signal: abortSignal(where, unnamed),
      startTimeout: startTimeout === undefined ? undefined : duration(where, 'startTimeout', startTimeout, true),
    },
    each => new Ref(each),
  )
  // All subscriptions are checked before the first of them is posted, and before the stage exists for others (X14)
  const links = subscribeTo(where, unnamed).map(item =>
    stage.newLink(subscriptionRequest(stage, itemOptions(where, 'subscribeTo', item))),
  )
  runtime.register(stage, name)
  stage.begin(links, link)
  return stage.ref
}

function nameOf(type: StageType, options: OwnOptions): string | undefined {
  const { name } = options
  if (name instanceof NameToken) return name.name
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw badOption(`start of a ${type}`, 'name', name, 'a typed name, or a text that is not empty')
}

function runtimeOf(where: Where, options: OwnOptions): RuntimeCore {
  const runtime = 'runtime' in options ? options['runtime'] : defaultRuntime
  if (runtime instanceof RuntimeCore) return runtime
  throw badOption(where, 'runtime', runtime, 'made by createRuntime')
}

function linkOf(where: Where, options: OwnOptions): Stage | undefined {
  const { link } = options
  if (link === undefined) return undefined
  const address = isRef(link) ? addressOf(link as StageRef) : undefined
  if (address instanceof Stage) return address
  throw new GenStageError('NOT_A_STAGE', `${where.toString()}: link must be the ref of a stage, not ${show(link)}`, {
    stage: where.label,
    option: 'link',
  })
}

function producingSettings(where: Where, type: StageType, options: OwnOptions): ProducingSettings {
  const dispatcher = 'dispatcher' in options ? options['dispatcher'] : demandDispatcher()
  if (typeof dispatcher !== 'function')
    throw badOption(where, 'dispatcher', dispatcher, 'a factory, such as demandDispatcher() or broadcastDispatcher()')
  return {
    dispatcher: dispatcher as DispatcherFactory<never>,
    bufferSize: wholeNumber(where, options, 'bufferSize', type === 'producer' ? 10_000 : Infinity, { min: 0, infinity: true }),
    bufferKeep: oneOf(where, options, 'bufferKeep', ['first', 'last'], 'last'),
    demand: oneOf(where, options, 'demand', ['forward', 'accumulate'], 'forward'),
  }
}

function subscribeTo(where: Where, options: OwnOptions): readonly unknown[] {
  const list = 'subscribeTo' in options ? options['subscribeTo'] : []
  if (Array.isArray(list)) return list
  throw badOption(where, 'subscribeTo', list, 'a list of producers')
}
