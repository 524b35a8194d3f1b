import type { CheckedCallbacks } from '../callbacks.ts'
import { type ConsumerOptions, type Definition, StageDefinition } from '../definition.ts'
import { GenStageError, show } from '../errors.ts'
import type { UpstreamLink } from '../links.ts'
import { oneOf, ownOptions, type OwnOptions, refuseUnknown } from '../options.ts'
import type { StageRef } from '../refs.ts'
import type { Maybe } from '../types.ts'
import { type ConsumerSupervisorRef, EventSupervisorRef } from './consumer-supervisor-ref.ts'
import { type Shutdown, shutdownOf } from './end-child.ts'
import type { ChildOwner } from './event-child.ts'
import { EventChildren, type EventChildrenSettings, type NewEventChild } from './event-children.ts'
import { type RestartIntensity, restartIntensityOptions, restartSettings } from './restart-window.ts'
import type { SupervisingHost } from './roles.ts'
import { StageChild } from './stage-child.ts'
import { SupervisingDefinition } from './supervising-definition.ts'
import { Task, type TaskFunction } from './task.ts'
import type { TaskContext } from './task-context.ts'

/** Options of a consumer supervisor. */
export interface ConsumerSupervisorOptions extends RestartIntensity {
  /**
   * `transient`: a child that failed is started again with the same event. `temporary`, the default: its failure is logged, and that
   * is all. `permanent` is refused: an event that was handled is not handled again (GS-V3).
   */
  readonly restart?: 'transient' | 'temporary'
  /** How long a child that is told to stop may take: milliseconds (default 5,000), `infinity`, or `brutal_kill` for none (GS-V14). */
  readonly shutdown?: Shutdown
}

/** What `consumerSupervisor` makes: `start` it, or give it to `child`. */
export interface ConsumerSupervisorDefinition<in Event> extends Definition<
  void,
  ConsumerOptions<Event>,
  ConsumerSupervisorRef<Event>
> {}

const where = 'consumerSupervisor'

/**
 * One child per event, at most `maxDemand` of the subscription at once: the way to run n tasks concurrently. The child is an async
 * function, or a stage that takes the event as its `arg`. More is asked for when `minDemand` or fewer run (X15); default `minDemand`:
 * `maxDemand` - 1, so that a place that falls free is taken at once.
 *
 * A child that fails is logged (`child_failed`); with `restart: 'transient'` it is then started again, up to `maxRestarts` times
 * within `maxSeconds` for all children together: past that the supervisor stops. Bad options throw `BAD_OPTION`.
 *
 * ```ts
 * const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
 * const sent: string[] = []
 * const Mailer = consumerSupervisor(async (mail: string) => {
 *   await wait(1)
 *   sent.push(mail)
 * })
 * const mails = start(fromIterable(['ada', 'grace', 'edsger']))
 * const mailer = start(Mailer, { subscribeTo: [{ to: mails, maxDemand: 2 }] })
 * await mailer.done // two at once, until all have been sent
 * console.log(sent.length) // => 3
 * ```
 */
export function consumerSupervisor<Event>(
  child: ((event: Event, task: TaskContext) => Maybe<unknown>) | Definition<Event, never, StageRef>,
  options?: ConsumerSupervisorOptions,
): ConsumerSupervisorDefinition<Event>
export function consumerSupervisor(child: unknown, options?: unknown): unknown {
  if (!isTask(child) && !(child instanceof StageDefinition)) {
    const text = `${where} takes a function or the definition of a stage, for one event, not ${show(child)}`
    throw new GenStageError('BAD_OPTION', text, { option: 'child' })
  }
  const settings = settingsOf(ownOptions(where, options))
  return new SupervisingDefinition('consumer', () => {
    let children: EventChildren
    return {
      supervising: host => (children = new EventChildren(host, settings, childrenMaker(child, host, settings))),
      makeRef: stage => new EventSupervisorRef(stage, () => children),
      setup: () => callbacksOf(children),
    }
  })
}

function isTask(value: unknown): value is TaskFunction {
  return typeof value === 'function'
}

function settingsOf(options: OwnOptions): EventChildrenSettings {
  refuseUnknown(where, options, ['restart', 'shutdown', ...restartIntensityOptions])
  if (options['restart'] === 'permanent') {
    const text = `${where}: restart must be 'transient' or 'temporary', not "permanent": an event that was handled is not handled again`
    throw new GenStageError('BAD_OPTION', text, { option: 'restart' })
  }
  return {
    restart: oneOf(where, options, 'restart', ['transient', 'temporary'], 'temporary'),
    shutdown: shutdownOf(where, options, 5_000),
    restarts: restartSettings(where, options),
  }
}

function childrenMaker(
  child: StageDefinition | TaskFunction,
  host: SupervisingHost,
  { shutdown }: EventChildrenSettings,
): (owner: ChildOwner) => NewEventChild {
  return owner => {
    if (child instanceof StageDefinition) {
      const plan = { owner, supervisor: host, definition: child, shutdown }
      return (number, event, source) => new StageChild(plan, number, event, source)
    }
    const plan = { owner, run: child, logger: host.runtime.logger }
    return (number, event, source) => new Task(plan, number, event, source)
  }
}

/** A consumer like any other, but that it does not wait for what its children do. */
function callbacksOf(children: EventChildren): CheckedCallbacks {
  return {
    handleSubscribe: link => children.subscribed(link as UpstreamLink),
    handleEvents: (events, link) => children.take(events, link as UpstreamLink),
    handleCancel: (ended, link) => children.cancelled(ended, link as UpstreamLink),
  }
}
