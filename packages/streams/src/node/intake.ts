import type { Readable } from 'node:stream'

/**
 * Takes chunks out of a Readable: as many as are wanted, each as it is, and no more. What the stream reads ahead on its own account is
 * bounded by its `highWaterMark`.
 *
 * It listens to `data` and pauses the stream in between. With `read()` chunks of bytes that wait would be joined, which copies them, and a
 * loop with `await` costs a promise for each.
 */
export class Intake {
  readonly #stream: Readable
  readonly #arrived: () => void
  /** Taken, and not handed on. */
  #waiting: unknown[] = []
  /** To be taken. */
  #wanted = 0

  /** `arrived` is called when there is something to hand on: once, until it has been. */
  constructor(stream: Readable, arrived: () => void) {
    this.#stream = stream
    this.#arrived = arrived
    stream.pause()
    stream.on('data', this.#take)
  }

  /** Wants `count` more. */
  want(count: number): void {
    this.#wanted += count
    if (this.#wanted > 0 && this.#stream.isPaused()) this.#stream.resume()
  }

  /** What has been taken, in order. */
  handOn(): readonly unknown[] {
    const chunks = this.#waiting
    this.#waiting = []
    return chunks
  }

  close(): void {
    this.#stream.off('data', this.#take)
  }

  readonly #take = (chunk: unknown): void => {
    this.#wanted--
    if (this.#wanted <= 0) this.#stream.pause()
    this.#waiting.push(chunk)
    if (this.#waiting.length === 1) this.#arrived()
  }
}
