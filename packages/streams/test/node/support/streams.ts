import { Duplex, type DuplexOptions, Readable, type ReadableOptions, Writable, type WritableOptions } from 'node:stream'

/** The reading half of a stream, in the hands of a test: what is fed waits until the stream reads it. */
class ControlledOutput {
  /** How many chunks the stream has read into itself. */
  taken = 0
  /** How often it was destroyed by others. */
  destroys = 0
  readonly #waiting: unknown[] = []
  #isWanted = false
  #ending: { readonly error: Error | undefined } | undefined

  feed(stream: Readable, chunks: readonly unknown[]): void {
    this.#waiting.push(...chunks)
    this.#serve(stream)
  }

  finish(stream: Readable, error?: Error): void {
    this.#ending ??= { error }
    this.#serve(stream)
  }

  read(stream: Readable): void {
    this.#isWanted = true
    this.#serve(stream)
  }

  destroyed(): void {
    if (this.#ending === undefined) this.destroys++
  }

  #serve(stream: Readable): void {
    while (this.#isWanted && this.#waiting.length > 0) {
      this.taken++
      this.#isWanted = stream.push(this.#waiting.shift())
    }
    if (!this.#isWanted || this.#waiting.length > 0 || this.#ending === undefined || stream.destroyed) return
    const { error } = this.#ending
    if (error === undefined) stream.push(null)
    // A stream that fails drops what it has read ahead: so it fails when that has been taken
    else if (stream.readableLength === 0) stream.destroy(error)
    else stream.once('data', () => this.#serve(stream))
  }
}

/** The writing half: it keeps what it gets, and takes nothing while it is paused. */
class ControlledInput {
  readonly received: unknown[] = []
  #isPaused = false
  #held: (() => void) | undefined

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#held?.()
    this.#held = undefined
  }

  write(chunk: unknown, done: () => void): void {
    const take = (): void => {
      this.received.push(chunk)
      done()
    }
    if (this.#isPaused) this.#held = take
    else take()
  }
}

export function controlledReadable(options: ReadableOptions) {
  const output = new ControlledOutput()
  const stream: Readable = new Readable({
    ...options,
    read: () => output.read(stream),
    destroy(error, done) {
      output.destroyed()
      done(error)
    },
  })
  return { stream, output }
}

export function controlledWritable(options: WritableOptions) {
  const input = new ControlledInput()
  const stream = new Writable({ ...options, write: (chunk: unknown, _, done) => input.write(chunk, done) })
  return { stream, input }
}

/** What is written is kept; what is read is what the test feeds. It ends its output when its input ends. */
export function controlledDuplex(options: DuplexOptions) {
  const input = new ControlledInput()
  const output = new ControlledOutput()
  const stream: Duplex = new Duplex({
    ...options,
    read: () => output.read(stream),
    write: (chunk: unknown, _, done) => input.write(chunk, done),
    final(done) {
      output.finish(stream)
      done()
    },
    destroy(error, done) {
      output.destroyed()
      done(error)
    },
  })
  return { stream, input, output }
}
