import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { JobsError, type JobsErrorCode } from '../errors.ts'
import { encodePayload } from '../payload.ts'
import type { LogEntry } from '../store.ts'
import type { FromThread, JobFacts, ThreadContext, ToThread } from './thread-words.ts'
import type { WireThrown } from './wire.ts'

/** A job on the thread that does it: its signals follow those on the other side, and what it reports goes there. */
export class ThreadJob {
  readonly context: ThreadContext
  readonly #port: MessagePort
  readonly #facts: JobFacts
  readonly #controllers = { signal: new AbortController(), stopping: new AbortController() }
  /** Reports of something that the function has left behind count for nothing. */
  #isOver = false

  constructor(port: MessagePort, facts: JobFacts) {
    this.#port = port
    this.#facts = facts
    this.context = {
      ...facts,
      signal: this.#watched(this.#controllers.signal.signal),
      stopping: this.#watched(this.#controllers.stopping.signal),
      progress: value => this.#tell({ type: 'progress', progress: encodePayload(value, 'progress') }),
      log: (message, level: LogEntry['level'] = 'info') => this.#tell({ type: 'log', message, level }),
    }
    port.on('message', (message: ToThread) => this.#take(message))
  }

  end(): void {
    this.#isOver = true
  }

  #tell(message: FromThread): void {
    if (!this.#isOver) this.#port.postMessage(message, [])
  }

  #take({ abort, reason }: ToThread): void {
    this.#controllers[abort].abort(this.#reason(reason))
  }

  /** While the function computes, no message is brought: it is fetched when the function looks. */
  #look(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#take(next.message as ToThread)
  }

  #watched(signal: AbortSignal): AbortSignal {
    const { prototype } = AbortSignal
    return Object.defineProperties(signal, {
      aborted: {
        configurable: true,
        get: (): boolean => {
          this.#look()
          return Reflect.get(prototype, 'aborted', signal)
        },
      },
      throwIfAborted: {
        configurable: true,
        value: (): void => {
          this.#look()
          prototype.throwIfAborted.call(signal)
        },
      },
    })
  }

  #reason({ failure: { code, message } }: WireThrown): JobsError {
    const { id: job, kind, queue } = this.#facts
    // The signals of a job are aborted with these errors alone
    return new JobsError(code as JobsErrorCode, message, { job, kind, queue })
  }
}
