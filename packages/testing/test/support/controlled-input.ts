/** An async iterable in the hands of a test: what is pushed waits until it is taken. */
export class ControlledInput implements AsyncIterable<unknown> {
  taken = 0
  released = 0
  readonly #waiting: unknown[] = []
  readonly #takers: { resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void }[] = []
  #end: { readonly error: Error | undefined } | undefined

  push(events: readonly unknown[]): void {
    this.#waiting.push(...events)
    this.#serve()
  }

  end(error?: Error): void {
    this.#end ??= { error }
    this.#serve()
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          this.#takers.push({ resolve, reject })
          this.#serve()
        }),
      return: () => {
        this.released++
        for (const taker of this.#takers.splice(0)) taker.resolve({ done: true, value: undefined })
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  #serve(): void {
    while (this.#takers.length > 0 && (this.#waiting.length > 0 || this.#end !== undefined)) {
      const taker = this.#takers.shift()
      if (this.#waiting.length > 0) {
        this.taken++
        taker?.resolve({ done: false, value: this.#waiting.shift() })
      } else if (this.#end?.error === undefined) taker?.resolve({ done: true, value: undefined })
      else {
        taker?.reject(this.#end.error)
        this.#end = { error: undefined }
      }
    }
  }
}
