import type { Definition, StartOptions } from '../definition.ts'
import { GenStageError, show } from '../errors.ts'
import { NameToken } from '../names.ts'
import { badOption, oneOf, ownOptions, type OwnOptions, type Where } from '../options.ts'
import { isRef } from '../ref-base.ts'
import type { StageRef } from '../refs.ts'
import { type Blueprint, blueprintOf, checkedDefinition } from '../start.ts'
import { checkSubscription } from '../subscribe-options.ts'
import { type Shutdown, shutdownOf } from './end-child.ts'
import { SupervisingDefinition } from './supervising-definition.ts'

/** Restart always / only after a failure / never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** What a supervisor has to know of a child, besides how to start it. */
export interface ChildOptions<Id extends string = string> {
  /** Unique among its siblings. */
  readonly id: Id
  /** Default `permanent`. */
  readonly restart?: Restart
  /** Default 5,000; `infinity` for supervisors and consumer supervisors. */
  readonly shutdown?: Shutdown
}

declare const spawns: unique symbol

/** How to start, restart and stop one child. */
export interface ChildSpec<out Id extends string = string, out Ref extends StageRef = StageRef> {
  readonly id: Id
  readonly [spawns]: Ref
}

/** What a child spec is behind its types. */
export class CheckedChild {
  readonly id: string
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly blueprint: Blueprint

  constructor(id: string, restart: Restart, shutdown: Shutdown, blueprint: Blueprint) {
    this.id = id
    this.restart = restart
    this.shutdown = shutdown
    this.blueprint = blueprint
  }
}

const ownNames = ['id', 'restart', 'shutdown']

/** Options of `start` that are not a child's, and why. */
const refused: Readonly<Record<string, string>> = {
  runtime: 'a child runs in the runtime of its supervisor',
  signal: 'a supervisor ends its children; give the signal to the supervisor',
  link: "to restart stages together, make them children of one supervisor with strategy 'one_for_all'",
}

const words: readonly Restart[] = ['permanent', 'transient', 'temporary']

/**
 * A definition with everything it needs to be started by a supervisor: the options of `start`, and `id`, `restart`, `shutdown`.
 * All are checked now (`BAD_OPTION`, `NOT_A_STAGE`). `runtime`, `signal` and `link` are refused: a child belongs to its supervisor.
 *
 * ```ts
 * const Saver = consumer((save: (rows: readonly string[]) => void) => ({
 *   handleEvents: (rows: readonly string[]) => save(rows),
 * }))
 * const saver = child(Saver, { id: 'saver', arg: rows => console.log(rows), restart: 'transient', shutdown: 1_000 })
 * console.log(saver.id) // => saver
 * ```
 */
export function child<Arg, Options, Ref extends StageRef, const Id extends string>(
  definition: Definition<Arg, Options, Ref>,
  options: ChildOptions<Id> & Options & StartOptions<Arg, Ref>,
): ChildSpec<Id, Ref>
export function child(definition: unknown, options: unknown): unknown {
  const checked = checkedDefinition('child', definition)
  const own = ownOptions(`child of type ${checked.type}`, options)
  const id = idOf(own)
  const where: Where = { label: undefined, toString: () => `child ${show(id)}` }
  for (const [option, why] of Object.entries(refused)) {
    if (option in own) throw new GenStageError('BAD_OPTION', `${where.toString()}: no option ${option}: ${why}`, { option })
  }
  const restart = oneOf(where, own, 'restart', words, 'permanent')
  const shutdown = shutdownOf(where, own, checked instanceof SupervisingDefinition ? 'infinity' : 5_000)
  const blueprint = blueprintOf(checked, own, { id, added: ownNames, refused: Object.keys(refused) })
  for (const item of blueprint.subscriptions) checkItem(blueprint, item)
  return new CheckedChild(id, restart, shutdown, blueprint)
}

function idOf(own: OwnOptions): string {
  const { id } = own
  if (typeof id === 'string' && id !== '') return id
  throw badOption('child', 'id', id, 'a text that is not empty')
}

/** What a start would refuse is refused now: a supervisor could only try it again and again. */
function checkItem({ where, name }: Blueprint, item: OwnOptions): void {
  const { to } = item
  if (!(to instanceof NameToken) && !isRef(to)) {
    const text = `${where.toString()}: to must be a ref or a typed name of a producer, not ${show(to)}`
    throw new GenStageError('NOT_A_STAGE', text, { stage: where.label, option: 'to' })
  }
  if (to instanceof NameToken && to.name === name) throw badOption(where, 'to', to.name, 'another stage')
  checkSubscription(where, item, to instanceof NameToken ? to.name : undefined)
}
