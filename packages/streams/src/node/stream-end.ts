import { finished, type FinishedOptions, type Readable, type Writable } from 'node:stream'

/**
 * The end of a foreign stream: it tells when the stream has ended by itself, and brings the end about when the stage ends first. As long as
 * it watches, an error of the stream is never one without a listener.
 */
export class StreamEnd {
  readonly #stream: Readable | Writable
  /** What `finished` says: the error, or undefined at a good end. */
  readonly #over: Promise<Error | undefined>
  #isOver = false
  /** Takes back all listeners. */
  #forget: () => void = () => {}
  /** Whether the end is of one's own making: then there is nothing to tell. */
  #isExpected = false

  /** `sides` tells which of two halves counts. `ended` is called once, with the error if there is one; also if it was destroyed by others. */
  constructor(stream: Readable | Writable, sides: FinishedOptions, ended: (error: Error | undefined) => void) {
    this.#stream = stream
    this.#over = new Promise(resolve => {
      this.#forget = finished(stream, sides, failure => {
        const error = failure ?? undefined
        this.#forget()
        this.#isOver = true
        if (!this.#isExpected) ended(error)
        resolve(error)
      })
    })
  }

  /** Ends a stream that is written to; resolves when it has taken all. Rejects with its error, also with one that was there before. */
  async end(): Promise<void> {
    this.#isExpected = true
    if (!this.#isOver && 'end' in this.#stream) this.#stream.end()
    const error = await this.#over
    if (error !== undefined) throw error
  }

  /** Destroys the stream, unless it is over; resolves when it is closed, and rejects with what went wrong meanwhile. */
  async destroy(reason?: Error): Promise<void> {
    if (this.#isOver) return
    this.#isExpected = true
    this.#stream.destroy(reason)
    if (!tellsClose(this.#stream)) return
    const error = await this.#over
    if (error !== undefined && error !== reason && !isPrematureClose(error)) throw error
  }

  /** Lets go of a stream that stays open for others. */
  release(): void {
    this.#isExpected = true
    this.#forget()
  }
}

/** Streams may be made without an event `close`, and those of old libraries have none. */
function tellsClose(stream: Readable | Writable): boolean {
  if ((stream.closed as boolean | undefined) === undefined) return false
  const states: readonly unknown[] = [Reflect.get(stream, '_readableState'), Reflect.get(stream, '_writableState')]
  return states.every(state => typeof state !== 'object' || state === null || Reflect.get(state, 'emitClose') !== false)
}

function isPrematureClose(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}
