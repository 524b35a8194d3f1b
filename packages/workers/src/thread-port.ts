import { Worker, type WorkerOptions } from 'node:worker_threads'
import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import { notCloneable } from './cargo.ts'
import type { FromThread, Opening, Request, ToThread } from './messages.ts'
import { program } from './thread-program.ts'
import { thrownFrom } from './wire.ts'

/** The answer to a request. */
export type Done = Extract<FromThread, { readonly type: 'done' }>

/** What a thread says besides answers. */
export type News = Exclude<FromThread, { readonly type: 'done' | 'uncaught' }>

interface Waiting {
  readonly type: Request['type']
  resolve(done: Done): void
  reject(error: unknown): void
}

/** Who listens to a thread. */
export interface ThreadListener {
  heard(news: News): void
  /** The thread is gone. What would be its failure, if nobody knows better: what was thrown there, or `WORKER_FAILED`. */
  gone(error: unknown): void
}

/** A thread, and the port to it: requests are numbered, and answered by promises. */
export class ThreadPort {
  /** Resolves when the thread is gone, and its listener knows. */
  readonly gone: Promise<void>
  readonly #label: string
  readonly #worker: Worker
  readonly #listener: ThreadListener
  /** Requests that have not been answered. */
  readonly #requests = new Map<number, Waiting>()
  #lastNumber = 0
  /** What was thrown there and caught by nobody, as the thread itself has told it. */
  #uncaught: { readonly error: unknown } | undefined
  /** The same as the platform tells it, which has lost its code and its class; or that there was no memory left. */
  #diedOf: { readonly error: unknown } | undefined
  /** Whether the process lives as long as the thread, whatever has been asked of it. */
  #isKept = true
  #isHeld = true

  /** Begins the thread. Throws `NOT_CLONEABLE` if the argument cannot cross, and what the platform throws about options of the worker. */
  constructor(opening: Opening, options: WorkerOptions, listener: ThreadListener) {
    this.#label = opening.label
    this.#listener = listener
    this.#worker = newWorker(opening, options)
    this.#worker.on('message', (message: FromThread) => this.#take(message))
    this.#worker.on('error', error => {
      this.#diedOf = { error }
    })
    this.#worker.on('messageerror', error => {
      this.#diedOf = { error }
      this.terminate()
    })
    this.gone = new Promise(resolve => {
      this.#worker.on('exit', code => {
        listener.gone(this.#failure(code))
        resolve()
      })
    })
  }

  /**
   * Sends what `make` makes. Rejects with what `refused` makes of the error if that cannot be cloned, and with what all requests are
   * rejected with when they are given up.
   */
  request(
    make: (number: number) => readonly [Request, readonly ArrayBuffer[]],
    refused: (cause: unknown) => GenStageError,
  ): Promise<Done> {
    return new Promise((resolve, reject) => {
      const number = ++this.#lastNumber
      try {
        const [request, buffers] = make(number)
        this.#worker.postMessage({ ...request, number } satisfies ToThread, buffers)
        this.#requests.set(number, { type: request.type, resolve, reject })
        this.#hold()
      } catch (cause) {
        reject(refused(cause))
      }
    })
  }

  post(message: ToThread): void {
    this.#worker.postMessage(message, [])
  }

  /** Ends the thread at once, wherever it is. */
  terminate(): void {
    void this.#worker.terminate()
  }

  /** Answers whatever is no batch: there is nobody any more who could, and whoever waits has to go on. */
  answerMessages(): void {
    for (const [number, { type, resolve }] of this.#requests) {
      if (type === 'events') continue
      this.#requests.delete(number)
      resolve({ type: 'done', number })
    }
    this.#hold()
  }

  /** Gives up all requests. */
  rejectAll(error: unknown): void {
    for (const { reject } of this.#requests.values()) reject(error)
    this.#requests.clear()
    this.#hold()
  }

  /** Whether the process has to live as long as the thread; if not, then only while it owes an answer. */
  keepProcess(isKept: boolean): void {
    this.#isKept = isKept
    this.#hold()
  }

  #take(message: FromThread): void {
    if (message.type === 'uncaught') this.#uncaught = { error: thrownFrom(message.error) }
    else if (message.type === 'done') {
      this.#requests.get(message.number)?.resolve(message)
      this.#requests.delete(message.number)
      this.#hold()
    } else this.#listener.heard(message)
  }

  #failure(code: number): unknown {
    if (this.#diedOf !== undefined) return (this.#uncaught ?? this.#diedOf).error
    const text = `stage ${show(this.#label)}: its thread has ended with exit code ${code}`
    return new GenStageError('WORKER_FAILED', text, { stage: this.#label })
  }

  /** A thread that owes an answer keeps the process alive, as a request to a server does. */
  #hold(): void {
    const isHeld = this.#isKept || this.#requests.size > 0
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    if (isHeld) this.#worker.ref()
    else this.#worker.unref()
  }
}

function newWorker(opening: Opening, options: WorkerOptions): Worker {
  try {
    return new Worker(program, { name: opening.label, ...options, workerData: opening })
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'DataCloneError') throw notCloneable(opening.label, 'the arg', cause)
    throw cause
  }
}
