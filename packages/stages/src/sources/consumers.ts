import type { Context } from '@genstage/core'

/** What a source does when its last consumer has gone. */
export type OnCancel = 'continue' | 'stop'

/** How many consumers a source has, and what becomes of it when the last one goes. */
export class Consumers {
  #count = 0
  readonly #ctx: Context
  readonly #onCancel: OnCancel

  constructor(ctx: Context, onCancel: OnCancel) {
    this.#ctx = ctx
    this.#onCancel = onCancel
  }

  get areThere(): boolean {
    return this.#count > 0
  }

  come(): void {
    this.#count++
  }

  go(): void {
    this.#count--
    if (this.#count === 0 && this.#onCancel === 'stop') this.#ctx.stop()
  }
}
