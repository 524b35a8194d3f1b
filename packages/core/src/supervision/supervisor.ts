import type { Definition } from '../definition.ts'
import { GenStageError, show } from '../errors.ts'
import { badOption, oneOf, ownOptions, refuseUnknown } from '../options.ts'
import type { StageRef } from '../refs.ts'
import { CheckedChild, type ChildSpec } from './child.ts'
import { Children } from './children.ts'
import { type RestartIntensity, restartIntensityOptions, restartSettings } from './restart-window.ts'
import { type Strategy, strategies } from './strategy.ts'
import { SupervisingDefinition } from './supervising-definition.ts'
import { RefOfSupervisor, type SupervisorRef } from './supervisor-ref.ts'

/** How a supervisor looks after its children. */
export interface SupervisorOptions extends RestartIntensity {
  /**
   * Which children are ended and started again when one of them is: it alone, all, or it and those started after it. Default
   * `one_for_one`.
   */
  readonly strategy?: Strategy
}

/** Refs of children by id. */
export type ChildRefs<Specs extends readonly ChildSpec[]> = {
  readonly [Spec in Specs[number] as Spec['id']]: Spec extends ChildSpec<string, infer Ref> ? Ref : never
}

export interface SupervisorDefinition<out Refs> extends Definition<void, unknown, SupervisorRef<Refs>> {}

/**
 * Starts children in order, restarts them by the strategy, stops them in reverse. Itself a definition: supervisors nest.
 *
 * `ready` resolves when all children are set up; if one of them cannot be, those before it are stopped and `ready` rejects
 * (`SETUP_FAILED`). After more than `maxRestarts` restarts within `maxSeconds` it stops its children and ends with `shutdown`, whose
 * detail is a `TOO_MANY_RESTARTS` error. Its `stop` has no time limit by default, for each child has its own. Refuses bad options
 * (`BAD_OPTION`).
 *
 * ```ts
 * const Numbers = producerName<number>('numbers')
 * const Sink = consumer(() => ({
 *   handleEvents: (events: readonly number[]) => console.log(events.join()), // => 1,2,3
 * }))
 * const App = supervisor([
 *   child(fromIterable([1, 2, 3]), { id: 'source', name: Numbers, restart: 'transient' }),
 *   child(Sink, { id: 'sink', subscribeTo: [{ to: Numbers, cancel: 'transient' }] }),
 * ], { strategy: 'rest_for_one' })
 *
 * const app = start(App)
 * await app.ready
 * await app.child('source')?.exited
 * console.log(app.children().map(({ id }) => id).join()) // => source,sink
 * await app.stop('normal', { drain: true })
 * ```
 */
export function supervisor<const Specs extends readonly ChildSpec[]>(
  children: Specs,
  options?: SupervisorOptions,
): SupervisorDefinition<ChildRefs<Specs>>
export function supervisor(children: unknown, options?: unknown): unknown {
  const where = 'supervisor'
  if (!Array.isArray(children)) throw badOption(where, 'children', children, 'a list of child(…)')
  const specs = children.map((spec: unknown) => {
    if (spec instanceof CheckedChild) return spec
    throw badOption(where, 'children', spec, 'a list of child(…)')
  })
  const ids = specs.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined)
    throw new GenStageError('BAD_OPTION', `${where}: two children have the id ${show(twice)}`, { option: 'id' })
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['strategy', ...restartIntensityOptions])
  const settings = {
    strategy: oneOf(where, own, 'strategy', strategies, 'one_for_one'),
    restarts: restartSettings(where, own),
  }
  return new SupervisingDefinition('supervisor', () => {
    let made: Children | undefined
    return {
      supervising: host => (made = new Children(host, specs, settings)),
      makeRef: (stage): StageRef => new RefOfSupervisor(stage, () => made as Children),
    }
  })
}
