/** Web streams in the hands of a test. */

/** A readable stream: what is pushed waits outside of it until it is pulled, and its end comes behind that. */
export class ControlledReadable {
  /** Chunks that were pulled out. */
  taken = 0
  /** How often it was cancelled. */
  released = 0
  /** What it was cancelled with. */
  cancelledWith: unknown
  readonly stream: ReadableStream<unknown>
  readonly #waiting: unknown[] = []
  #ending: { readonly error: Error | undefined } | undefined
  #controller: ReadableStreamDefaultController<unknown> | undefined
  #pulled: (() => void) | undefined

  constructor(highWaterMark = 0) {
    this.stream = new ReadableStream<unknown>(
      {
        start: controller => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: reason => {
          this.released++
          this.cancelledWith = reason
          this.#pulled?.()
          this.#pulled = undefined
        },
      },
      { highWaterMark },
    )
  }

  push(events: readonly unknown[]): void {
    this.#waiting.push(...events)
    this.#serve()
  }

  end(error?: Error): void {
    this.#ending ??= { error }
    this.#serve()
  }

  #pull(): Promise<void> {
    return new Promise(resolve => {
      this.#pulled = resolve
      this.#serve()
    })
  }

  #serve(): void {
    const pulled = this.#pulled
    if (pulled === undefined) return
    if (this.#waiting.length > 0) {
      this.taken++
      this.#controller?.enqueue(this.#waiting.shift())
    } else if (this.#ending === undefined) return
    else if (this.#ending.error === undefined) this.#controller?.close()
    else this.#controller?.error(this.#ending.error)
    this.#pulled = undefined
    pulled()
  }
}

/** A writable stream that can be held, and that tells what became of it. */
export class ControlledWritable {
  readonly written: unknown[] = []
  /** Resolves when it has been closed or aborted, or has failed: with the error, or undefined after a good end. */
  readonly finished: Promise<unknown>
  readonly stream: WritableStream<unknown>
  closes = 0
  aborts = 0
  /** What waits or is being written, at most. */
  mostUnderWay = 0
  #gate: Promise<void> = Promise.resolve()
  #open = (): void => {}
  #finish: (error: unknown) => void = () => {}
  #controller: WritableStreamDefaultController | undefined

  constructor(highWaterMark = 1) {
    this.finished = new Promise(resolve => (this.#finish = resolve))
    this.stream = new WritableStream<unknown>(
      {
        start: controller => {
          this.#controller = controller
        },
        write: async chunk => {
          await this.#gate
          this.written.push(chunk)
        },
        close: () => {
          this.closes++
          this.#finish(undefined)
        },
        abort: reason => {
          this.aborts++
          this.#finish(reason)
        },
      },
      { highWaterMark },
    )
  }

  pause(): void {
    this.#gate = new Promise(resolve => (this.#open = resolve))
  }

  resume(): void {
    this.#gate = Promise.resolve()
    this.#open()
  }

  fail(error: Error): void {
    this.#controller?.error(error)
    this.#finish(error)
  }
}
