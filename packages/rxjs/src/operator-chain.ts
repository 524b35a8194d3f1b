import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import { Observable, Subject } from 'rxjs'
import { type ObservableLike, subscribeTo } from './observable-like.ts'

/** When an event that was given to the operators counts as done. */
export type DoneWhen = 'taken' | 'result' | 'manual'

/** A function of operators: what comes in, and how to tell that events are done. */
export type Operators<In, Out> = (events$: Observable<In>, done: (count?: number) => void) => ObservableLike<Out>

/** Events that came together: they are done together. */
interface Batch<In> {
  readonly events: readonly In[]
  /** How many of them the operators have taken. */
  taken: number
  /** How many are not done. */
  left: number
  /** Who waits for that. */
  settle: { resolve(): void; reject(error: unknown): void } | undefined
}

/** How the operators have ended. */
export type ChainEnd = { readonly type: 'complete' } | { readonly type: 'error'; readonly error: unknown }

/**
 * The operators, and what is on its way into them and out of them. Knows no stage: `onChange` is called when there is something
 * new to be taken, results or the end.
 */
export class OperatorChain<In, Out> {
  /** How the operators have ended, once they have. */
  end: ChainEnd | undefined
  readonly #input = new Subject<In>()
  readonly #doneWhen: DoneWhen
  readonly #onChange: (end: ChainEnd | undefined) => void
  readonly #unsubscribe: () => void
  /** Batches that are not done, oldest first. */
  readonly #batches: Batch<In>[] = []
  /** Those of them that the operators have not taken to the end. */
  readonly #waiting: Batch<In>[] = []
  /** Given to the operators and not done. */
  #inside = 0
  #results: Out[] = []
  /** How the input is to end, behind the events that wait. */
  #inputEnd: ChainEnd | undefined
  #isFeeding = false

  constructor(operators: Operators<In, Out>, doneWhen: DoneWhen, onChange: (end: ChainEnd | undefined) => void) {
    this.#doneWhen = doneWhen
    this.#onChange = onChange
    const events$ = new Observable<In>(subscriber => {
      const subscription = this.#input.subscribe(subscriber)
      this.#feed()
      return subscription
    })
    const result$ = operators(events$, (count = 1) => this.#done(checkedCount(count)))
    const observer = {
      next: (result: Out) => this.#result(result),
      error: (error: unknown) => this.#finish({ type: 'error', error }),
      complete: () => this.#finish({ type: 'complete' }),
    }
    this.#unsubscribe = subscribeTo(result$, observer, 'throughOperators: what the function returns')
  }

  /** Gives a batch to the operators, as soon as they have subscribed. Answers a promise if it is not done at once. */
  give(events: readonly In[]): Promise<void> | undefined {
    if (this.end?.type === 'complete' || events.length === 0) return undefined
    const batch: Batch<In> = { events, taken: 0, left: events.length, settle: undefined }
    this.#batches.push(batch)
    this.#waiting.push(batch)
    this.#feed()
    if (batch.left === 0) return undefined
    return new Promise((resolve, reject) => {
      batch.settle = { resolve, reject }
    })
  }

  /** The results so far. */
  take(): readonly Out[] {
    const results = this.#results
    if (results.length > 0) this.#results = []
    return results
  }

  /** No more events come: the operators are told so, behind those that wait. */
  endInput(end: ChainEnd): void {
    this.#inputEnd ??= end
    this.#feed()
  }

  /** Nobody is subscribed to the events: what waits is given up. Answers what that was. */
  giveUp(): readonly In[] {
    if (this.#input.observed) return []
    const lost: In[] = []
    for (const batch of this.#waiting.splice(0)) {
      lost.push(...batch.events.slice(batch.taken))
      batch.left -= batch.events.length - batch.taken
      batch.taken = batch.events.length
    }
    this.#release()
    return lost
  }

  /** The operators have failed: nothing that was given to them will be done. */
  failBatches(error: unknown): void {
    this.#waiting.length = 0
    for (const batch of this.#batches.splice(0)) batch.settle?.reject(error)
  }

  /** The operators are not wanted any more. Answers results that nobody has taken. */
  close(): readonly Out[] {
    this.end ??= { type: 'complete' }
    this.#unsubscribe()
    return this.take()
  }

  // ── inside

  #feed(): void {
    if (this.#isFeeding) return
    this.#isFeeding = true
    for (let batch = this.#waiting[0]; batch !== undefined && this.#isTaken(); batch = this.#waiting[0]) {
      this.#feedBatch(batch)
      if (batch.taken >= batch.events.length) this.#waiting.shift()
    }
    this.#isFeeding = false
    if (this.#inputEnd === undefined || this.#waiting.length > 0) return
    if (this.#inputEnd.type === 'complete') this.#input.complete()
    else this.#input.error(this.#inputEnd.error)
  }

  #feedBatch(batch: Batch<In>): void {
    const { events } = batch
    const input = this.#input
    const already = batch.taken
    while (batch.taken < events.length && this.#isTaken()) {
      this.#inside++
      input.next(events[batch.taken++] as In)
    }
    if (this.#doneWhen === 'taken') this.#done(batch.taken - already)
  }

  /** Whether somebody takes the events. A method: V8 does not optimise private getters, and this is asked for with every event. */
  #isTaken(): boolean {
    return this.end === undefined && this.#input.observed
  }

  #result(result: Out): void {
    if (this.end !== undefined) return
    this.#results.push(result)
    if (this.#doneWhen === 'result') this.#done(1)
    this.#onChange(this.end)
  }

  #finish(end: ChainEnd): void {
    if (this.end !== undefined) return
    this.end = end
    // What the operators have no use for is done; where they failed it is not
    if (end.type === 'complete') {
      this.#waiting.length = 0
      for (const batch of this.#batches) batch.left = 0
      this.#release()
    }
    this.#onChange(this.end)
  }

  /** Events are done, the oldest first: results do not tell which event they are of. */
  #done(count: number): void {
    let done = Math.min(count, this.#inside)
    this.#inside -= done
    for (const batch of this.#batches) {
      if (done <= 0) break
      const part = Math.min(done, batch.left)
      batch.left -= part
      done -= part
    }
    this.#release()
  }

  #release(): void {
    while (this.#batches[0]?.left === 0) this.#batches.shift()?.settle?.resolve()
  }
}

function checkedCount(count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count
  throw new GenStageError('BAD_DEMAND', `throughOperators: done takes a whole number of events from 0, not ${show(count)}`)
}
