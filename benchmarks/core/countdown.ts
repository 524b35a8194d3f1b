/** The end of a run: all its sinks together have seen what was expected. */
export class Countdown {
  readonly over: Promise<void>
  #end = () => {}
  #missing: number

  constructor(expected: number) {
    this.#missing = expected
    this.over = new Promise(resolve => (this.#end = resolve))
  }

  advance(count: number): void {
    this.#missing -= count
    if (this.#missing === 0) this.#end()
  }
}
