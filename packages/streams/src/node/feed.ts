import { GenStageError } from '@genstage/core'
import type { Writable } from 'node:stream'

/**
 * Writes chunks into a Writable, in order and never past its `highWaterMark`: it stops when `write` answers false, and goes on at
 * `drain`.
 */
export class Feed {
  readonly #where: string
  readonly #writable: Writable
  /** Whoever waits for `drain`. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(where: string, writable: Writable) {
    this.#where = where
    this.#writable = writable
    writable.on('drain', this.#goOn)
  }

  /** Writes all of them. A promise if that has to wait for room, which it does also behind the last one. One call at a time. */
  write(chunks: readonly unknown[]): Promise<void> | void {
    const next = this.#writeFrom(chunks, 0)
    if (next >= 0) return this.#writeRest(chunks, next)
  }

  /** Nothing can be written any more: whoever waits is told. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  close(): void {
    this.#writable.off('drain', this.#goOn)
  }

  /** Answers where to go on when there is room again, or -1 if nothing is left and there is room. */
  #writeFrom(chunks: readonly unknown[], first: number): number {
    for (let index = first; index < chunks.length; index++) if (!this.#writeOne(chunks[index])) return index + 1
    return -1
  }

  async #writeRest(chunks: readonly unknown[], first: number): Promise<void> {
    for (let next = first; next >= 0; next = this.#writeFrom(chunks, next)) await this.#room()
  }

  #writeOne(chunk: unknown): boolean {
    if (this.#failure !== undefined) throw this.#failure.error
    if (chunk === null) throw nullEvent(this.#where)
    return this.#writable.write(chunk)
  }

  #room(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  readonly #goOn = (): void => {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}

/** In a Node stream null is the end. */
export function nullEvent(where: string): GenStageError {
  return new GenStageError('BAD_SINK', `${where}: an event is null, which a Node stream cannot carry: there it is the end`)
}
