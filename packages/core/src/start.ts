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
import type { ProducingSettings } from './serving.ts'
import type { StageRef } from './refs.ts'
import { defaultRuntime, RuntimeCore } from './runtime.ts'
import { Stage } from './stage.ts'
import { addressOf, Ref, subscriptionRequest } from './stage-ref.ts'
import { isRef } from './ref-base.ts'
import { itemOptions } from './subscribe-options.ts'
import type { Guardian } from './supervision/roles.ts'
import { SupervisingDefinition } from './supervision/supervising-definition.ts'
import type { StageType } from './types.ts'

const everyStage = ['arg', 'name', 'runtime', 'signal', 'link', 'startTimeout']
const producingOptions = ['dispatcher', 'bufferSize', 'bufferKeep']

/** The dispatcher of stages that were given none; each of them makes its own by it. */
const defaultDispatcher = /* @__PURE__ */ demandDispatcher()

/** Which options each kind takes (GS-L3, L5, L6). */
const optionsOf: Readonly<Record<StageType, readonly string[]>> = {
  producer: [...everyStage, ...producingOptions, 'demand'],
  producerConsumer: [...everyStage, ...producingOptions, 'subscribeTo'],
  consumer: [...everyStage, 'subscribeTo'],
  supervisor: ['name', 'runtime', 'signal', 'link', 'startTimeout'],
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
  const checked = checkedDefinition('start', definition)
  const own = ownOptions(`start of a ${checked.type}`, options)
  const blueprint = blueprintOf(checked, own)
  return blueprint.start(runtimeOf(blueprint.where, own), undefined).ref
}

/** Options of a start, checked. */
interface StartSettings {
  readonly arg: unknown
  readonly producing: ProducingSettings | undefined
  readonly signal: AbortSignal | undefined
  readonly startTimeout: number | undefined
  readonly link: Stage | undefined
}

/** A definition with its options, checked once: it can be started any number of times. */
export class Blueprint {
  readonly type: StageType
  readonly name: string | undefined
  /** The stage to be, for messages. */
  readonly where: Where
  /** The items of `subscribeTo`. */
  readonly subscriptions: readonly OwnOptions[]
  readonly #definition: StageDefinition
  readonly #settings: StartSettings

  constructor(
    definition: StageDefinition,
    name: string | undefined,
    where: Where,
    subscriptions: readonly OwnOptions[],
    settings: StartSettings,
  ) {
    this.type = definition.type
    this.name = name
    this.where = where
    this.subscriptions = subscriptions
    this.#definition = definition
    this.#settings = settings
  }

  /** Starts it, maybe as the child of a supervisor. Throws `NAME_TAKEN`, and what is wrong with `subscribeTo`. */
  start(runtime: RuntimeCore, guardian: Guardian | undefined): Stage {
    const { type, name } = this
    const { arg, producing, signal, startTimeout, link } = this.#settings
    const life = this.#definition instanceof SupervisingDefinition ? this.#definition.begin() : undefined
    const setup = life?.setup ?? this.#definition.setup
    const supervising = life?.supervising
    const stage = new Stage(
      { type, setup, arg, name, runtime, producing, startTimeout, supervising, guardian },
      life?.makeRef ?? newRef,
    )
    // All subscriptions are checked before the first of them is posted, and before the stage exists for others (X14)
    const links = this.subscriptions.map(item => stage.newLink(subscriptionRequest(stage, item)))
    runtime.register(stage, name)
    stage.begin(links)
    if (link !== undefined) stage.link(link)
    if (signal !== undefined) stage.stopWith(signal)
    return stage
  }
}

/** Refuses what is no definition. */
export function checkedDefinition(where: string, definition: unknown): StageDefinition {
  if (definition instanceof StageDefinition) return definition
  const text = `${where} takes a definition (made by producer, producerConsumer, consumer, supervisor …), not ${show(definition)}`
  throw new GenStageError('BAD_OPTION', text, { option: 'definition' })
}

/** What a child has beyond a start: an `id`, which stands for a missing name, and other options. */
export interface AsChild {
  readonly id: string
  readonly added: readonly string[]
  readonly refused: readonly string[]
}

/** Checks the options of a start. */
export function blueprintOf(definition: StageDefinition, own: OwnOptions, asChild?: AsChild): Blueprint {
  const { type } = definition
  const name = nameOf(type, own)
  const where = new StagePlace(name ?? asChild?.id ?? type)
  refuseUnknown(where, own, asChild === undefined ? optionsOf[type] : optionsOfChild(type, asChild))
  const { arg, startTimeout } = own
  const settings: StartSettings = {
    arg,
    producing: type === 'producer' || type === 'producerConsumer' ? producingSettings(where, definition, own) : undefined,
    signal: abortSignal(where, own),
    startTimeout: startTimeout === undefined ? undefined : duration(where, 'startTimeout', startTimeout, true),
    link: linkOf(where, own),
  }
  const subscriptions = subscribeTo(where, own).map(item => itemOptions(where, 'subscribeTo', item))
  return new Blueprint(definition, name, where, subscriptions, settings)
}

function optionsOfChild(type: StageType, { added, refused }: AsChild): readonly string[] {
  return [...added, ...optionsOf[type].filter(option => !refused.includes(option))]
}

function newRef(stage: Stage): StageRef {
  return new Ref(stage)
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

function producingSettings(where: Where, { type, bufferSize }: StageDefinition, options: OwnOptions): ProducingSettings {
  const dispatcher = 'dispatcher' in options ? options['dispatcher'] : defaultDispatcher
  if (typeof dispatcher !== 'function')
    throw badOption(where, 'dispatcher', dispatcher, 'a factory, such as demandDispatcher() or broadcastDispatcher()')
  const defaultSize = bufferSize ?? (type === 'producer' ? 10_000 : Infinity)
  return {
    dispatcher: dispatcher as DispatcherFactory<never>,
    bufferSize: wholeNumber(where, options, 'bufferSize', defaultSize, { min: 0, infinity: true }),
    bufferKeep: oneOf(where, options, 'bufferKeep', ['first', 'last'], 'last'),
    demand: oneOf(where, options, 'demand', ['forward', 'accumulate'], 'forward'),
  }
}

function subscribeTo(where: Where, options: OwnOptions): readonly unknown[] {
  const list = 'subscribeTo' in options ? options['subscribeTo'] : []
  if (Array.isArray(list)) return list
  throw badOption(where, 'subscribeTo', list, 'a list of producers')
}
