import { type ErrorCode, GenStageError, show, suggestion } from '../errors.ts'
import { shutdown } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { ChildRecord, Waiter } from './child-record.ts'
import type { CheckedChild } from './child.ts'
import type { SupervisingHost } from './roles.ts'

/** What commands do with the children of a supervisor. */
export interface CommandedChildren {
  readonly records: ReadonlyMap<string, ChildRecord>
  /** Whether the first start is not over. */
  readonly isStarting: boolean
  /** Whether nothing is started any more. */
  readonly isLeaving: boolean
  /** One more child, to be started. */
  add(spec: CheckedChild): ChildRecord
  /** A stopped child is to be up again. */
  restart(record: ChildRecord): void
  /** A child is to be down, for good. */
  terminate(record: ChildRecord): void
  forget(record: ChildRecord): void
}

/** The commands of a supervisor: messages to it, answered by promises. They wait until all children have been started. */
export class ChildCommands {
  readonly #host: SupervisingHost
  readonly #children: CommandedChildren
  #waiting: (() => void)[] = []

  constructor(host: SupervisingHost, children: CommandedChildren) {
    this.#host = host
    this.#children = children
  }

  /** The first start is over, or never will be. */
  resume(): void {
    for (const command of this.#waiting.splice(0)) command()
  }

  /** One more child, after all others. Resolves when it is set up. */
  startChild(spec: CheckedChild): Promise<StageRef> {
    return this.#ask(waiter => {
      if (this.#children.records.has(spec.id)) {
        return waiter.reject(this.refusal(spec.id, 'is there already; choose another id'))
      }
      const record = this.#children.add(spec)
      record.isNew = true
      record.starters.push(waiter)
      this.#children.restart(record)
    })
  }

  /** Ends a child. It stays in the list, to be restarted; a temporary one goes. */
  terminateChild(id: string): Promise<void> {
    return this.#askAbout(id, (record, waiter) => {
      record.enders.push(waiter)
      this.#children.terminate(record)
    })
  }

  /** Starts a child that is down and is to stay so. */
  restartChild(id: string): Promise<void> {
    return this.#askAbout(id, (record, waiter) => {
      if (!record.isStopped) return waiter.reject(this.#notStopped(record))
      record.starters.push({ resolve: () => waiter.resolve(), reject: error => waiter.reject(error) })
      this.#children.restart(record)
    })
  }

  /** Takes a child that is down off the list. */
  deleteChild(id: string): Promise<void> {
    return this.#askAbout(id, (record, waiter) => {
      if (!record.isStopped) return waiter.reject(this.#notStopped(record))
      this.#children.forget(record)
      waiter.resolve()
    })
  }

  /** The error of a command that comes too late. */
  tooLate(): GenStageError {
    return this.#host.stopped(this.#host.endedAs ?? shutdown())
  }

  /** The error of a command that cannot be carried out on a child. */
  refusal(id: string, what: string, code: ErrorCode = 'BAD_OPTION'): GenStageError {
    const { label } = this.#host
    return new GenStageError(code, `stage ${show(label)}: child ${show(id)} ${what}`, { stage: label, option: 'id' })
  }

  #notStopped({ spec, info }: ChildRecord): GenStageError {
    return this.refusal(spec.id, `is ${info.state}; terminate it first`)
  }

  #askAbout(id: string, work: (record: ChildRecord, waiter: Waiter<void>) => void): Promise<void> {
    return this.#ask(waiter => {
      const record = this.#children.records.get(id)
      if (record === undefined) waiter.reject(this.refusal(id, `is unknown${this.#hint(id)}`, 'UNKNOWN_CHILD'))
      else work(record, waiter)
    })
  }

  /** The id that was meant, maybe. */
  #hint(id: unknown): string {
    return typeof id === 'string' ? suggestion(id, this.#children.records.keys()) : ''
  }

  /** Does something in a turn of the supervisor. The process is kept alive meanwhile. */
  #ask<T>(work: (waiter: Waiter<T>) => void): Promise<T> {
    const release = this.#host.runtime.holdWhile()
    const answer = new Promise<T>((resolve, reject) => {
      const command = (): void => {
        if (this.#children.isLeaving) reject(this.tooLate())
        else if (this.#children.isStarting) this.#waiting.push(command)
        else work({ resolve, reject })
      }
      this.#host.post({ type: 'later', work: command, abandon: () => reject(this.tooLate()) })
    })
    return answer.finally(release)
  }
}
