import { performance } from 'node:perf_hooks'
import type { Output } from './simulate.ts'

/** Milliseconds between two lines where lines cannot be written over. */
const msPerLine = 10_000

/** How far the simulations have come, and how fast they are. */
export class Progress {
  done = 0
  readonly #runs: number
  readonly #output: Output
  readonly #begun = performance.now()
  #saidAt = performance.now()

  constructor(runs: number, output: Output) {
    this.#runs = runs
    this.#output = output
  }

  add(runs: number): void {
    this.done += runs
    const now = performance.now()
    if (this.#output.isLive) this.#output.say(`\r${this.#line()}\u001B[K`)
    else if (now - this.#saidAt >= msPerLine) {
      this.#saidAt = now
      this.#output.say(`${this.#line()}\n`)
    }
  }

  end(): void {
    this.#output.say(`${this.#output.isLive ? '\r' : ''}${this.#line()}${this.#output.isLive ? '\u001B[K' : ''}\n`)
  }

  #line(): string {
    const seconds = (performance.now() - this.#begun) / 1_000
    const rate = this.done / Math.max(seconds, 0.001)
    const left = this.done < this.#runs ? `, ${Math.round((this.#runs - this.done) / Math.max(rate, 1))} s left` : ''
    return `${this.done} of ${this.#runs} runs, ${Math.round(rate)} a second${left}`
  }
}
