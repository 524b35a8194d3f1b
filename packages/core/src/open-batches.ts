import type { Unfinished, UpstreamLink } from './links.ts'
import type { InFlight } from './in-flight.ts'
import { Queue } from './queue.ts'
import type { Ended } from './types.ts'

/** A batch whose work goes on while others come. */
export interface OpenBatch extends Unfinished {
  /** What is asked for when it is done. */
  readonly ask: number
  /** When its callback was called, if that is measured. */
  readonly began: number | undefined
}

type Outcome = { readonly type: 'done'; readonly result: unknown } | { readonly type: 'failed'; readonly error: unknown }

/** The batches of a stage whose work goes on while others come (`inFlight`), and the ends of subscriptions that wait behind them. */
export class OpenBatches {
  /** With their outcomes, oldest first. */
  readonly #open = new Map<OpenBatch, Outcome | undefined>()
  /** Those whose failure has been told: they stay undone until the stage has ended. */
  readonly #failed = new Set<OpenBatch>()
  /** How many of them have not settled. */
  #unsettled = 0
  /** What may leave before its turn: all that has settled where the order of results does not matter, else failures. */
  readonly #early = new Queue<OpenBatch>()
  /** Ends of subscriptions, to be told when the last batch of each is done. */
  readonly #ends: { readonly link: UpstreamLink; readonly ended: Ended }[] = []
  /** Whether results leave in the order of the batches. */
  readonly #inOrder: boolean
  readonly #changed: () => void
  #whenSettled: (() => void) | undefined

  /** `changed` is called when a batch has settled, at any time. */
  constructor(inOrder: boolean, changed: () => void) {
    this.#inOrder = inOrder
    this.#changed = changed
  }

  add(batch: OpenBatch, work: InFlight<unknown>): void {
    this.#open.set(batch, undefined)
    this.#unsettled++
    const settle = (outcome: Outcome): void => {
      if (!this.#open.has(batch)) return // the stage has ended meanwhile
      this.#open.set(batch, outcome)
      this.#unsettled--
      // A failure does not wait for its turn: nothing that comes out later changes it
      if (!this.#inOrder || outcome.type === 'failed') this.#early.push(batch)
      if (this.#unsettled === 0) this.#whenSettled?.()
      this.#changed()
    }
    work.settled(
      result => settle({ type: 'done', result }),
      (error: unknown) => settle({ type: 'failed', error }),
    )
  }

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** Whether there is something to be released. */
  get hasNews(): boolean {
    return this.#next() !== undefined || this.#ends.some(({ link }) => !this.has(link))
  }

  /** Whether a batch of this subscription is still open. */
  has(link: UpstreamLink): boolean {
    for (const batch of this.#open.keys()) if (batch.link === link) return true
    return false
  }

  /** Keeps the end of a subscription until its last batch is done. */
  hold(link: UpstreamLink, ended: Ended): void {
    this.#ends.push({ link, ended })
  }

  /** A subscription whose end has waited long enough. */
  takeEnd(): { readonly link: UpstreamLink; readonly ended: Ended } | undefined {
    const index = this.#ends.findIndex(({ link }) => !this.has(link))
    return index < 0 ? undefined : this.#ends.splice(index, 1)[0]
  }

  /** The next batch that is done, with its result; it stays open until `close`. Throws what the work on it failed with, once. */
  done(): { readonly batch: OpenBatch; readonly result: unknown } | undefined {
    const batch = this.#next()
    const outcome = batch === undefined ? undefined : this.#open.get(batch)
    if (batch === undefined || outcome === undefined) return undefined
    if (this.#early.at(0) === batch) this.#early.shift()
    if (outcome.type === 'done') return { batch, result: outcome.result }
    this.#failed.add(batch)
    throw outcome.error
  }

  /** The batch is done, and what became of it has left. */
  close(batch: OpenBatch): void {
    this.#open.delete(batch)
  }

  /** Resolves when all have settled, one way or another; undefined if there is nothing to wait for. */
  get settled(): Promise<void> | undefined {
    if (this.#unsettled === 0) return this.hasNews ? Promise.resolve() : undefined
    return new Promise(resolve => {
      this.#whenSettled = resolve
    })
  }

  /** The end of the stage: what has not been done, each delivered once more than before. Nothing is listened to any more. */
  takeAll(): readonly Unfinished[] {
    const unfinished = [...this.#open.keys()].map(batch => ({ ...batch, redeliveries: batch.redeliveries + 1 }))
    this.#open.clear()
    return unfinished
  }

  #next(): OpenBatch | undefined {
    if (!this.#inOrder) return this.#early.at(0)
    for (const [batch, outcome] of this.#open) {
      if (outcome?.type === 'done') return batch
      if (!this.#failed.has(batch)) break
    }
    return this.#early.at(0)
  }
}
