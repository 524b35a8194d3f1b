/**
 * Jobs that have one crash left before they are given up start one at a time in a runner: if the process dies again, it is known which of
 * them it was, and its neighbours are not given up with it.
 */
export class Suspects {
  #isBusy = false
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is this one's turn, with how to let the next one in. */
  async enter(): Promise<() => void> {
    if (this.#isBusy) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#isBusy = true
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#isBusy = false
      else next()
    }
  }
}
