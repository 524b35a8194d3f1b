import type { Logger } from '../logger.ts'
import { failure, killed, type Reason } from '../reason.ts'
import { isAbortError } from '../context.ts'
import { isThenable } from '../thenable.ts'
import { type ChildOwner, EventChild } from './event-child.ts'
import type { EventSource } from './event-source.ts'
import { LazyTaskContext, type TaskContext } from './task-context.ts'

/** The function that handles one event, as it is called. */
export type TaskFunction = (event: unknown, task: TaskContext) => unknown

/** What the tasks of one supervisor share. */
export interface TaskPlan {
  readonly owner: ChildOwner
  readonly run: TaskFunction
  readonly logger: Logger
}

/** An event in the hands of a function: one call of it, and one more for each restart. */
export class Task extends EventChild {
  readonly #plan: TaskPlan
  /** The try under way: what an earlier one brings is not listened to. */
  #context: LazyTaskContext | undefined

  constructor(plan: TaskPlan, number: number, event: unknown, source: EventSource | undefined) {
    super(number, event, source)
    this.#plan = plan
  }

  get ref(): undefined {
    return undefined
  }

  get isStarting(): boolean {
    return false
  }

  // Every event comes along here (WL-8b): a function that returns no promise costs none, one that does costs what `then` makes of it
  begin(): boolean {
    const { run, logger } = this.#plan
    const context = new LazyTaskContext(this.restarts, logger)
    this.#context = context
    try {
      const value = run(this.event, context)
      if (!isThenable(value)) return true
      const isPromise = value.constructor === Promise
      value.then(
        () => this.#over(context, isPromise),
        (error: unknown) => this.#failed(context, error, isPromise),
      )
    } catch (error) {
      this.#failed(context, error, false)
    }
    return false
  }

  /** It ends by itself. */
  drain(): void {}

  stop(reason: Reason): void {
    this.#context?.abortStopping(reason)
  }

  abandon(): void {
    const context = this.#context
    this.#context = undefined
    context?.abortAll(killed)
  }

  /** `isReaction`: a promise says so, and not any thenable, which may call back whenever it likes. */
  #over(context: LazyTaskContext, isReaction: boolean): void {
    if (this.#context !== context) return
    this.#context = undefined
    this.#plan.owner.ended(this, isReaction)
  }

  #failed(context: LazyTaskContext, error: unknown, isReaction: boolean): void {
    if (this.#context !== context) return
    this.failure = { reason: failure(error), start: undefined, isTold: false, isGivingUp: isAbortError(error) }
    this.#over(context, isReaction)
  }
}
