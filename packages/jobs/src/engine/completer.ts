import type { Claimed, ClaimRequest, Settled, Settlement } from '../store.ts'
import { clearTimer } from '../timers.ts'
import type { EngineContext } from './engine-context.ts'

/** What a completer works for. */
export interface CompleterOwner {
  /** What to claim now; `along` tells that a write is made anyway. Undefined for nothing. */
  claimRequest(along: boolean): ClaimRequest | undefined
  /** The answer to it. */
  claimed(claimed: Claimed, request: ClaimRequest): void
  /** The claim failed: what the store believes we hold may be more than we know of. */
  claimFailed(): void
}

/**
 * What the store said to a settlement. `refused`: the job was no longer ours. `unknown`: the answer got lost, or it was never asked.
 * `cancelled`: it was taken, but the job is cancelled, because that had been asked for.
 */
export type Answer = 'taken' | 'refused' | 'unknown' | { readonly cancelled: string }

/** The answer to the settlement at this place of the call. */
export function answerAt({ accepted, overruled }: Settled, index: number): Answer {
  if (accepted[index] !== true) return 'refused'
  const reason = overruled?.find(each => each.index === index)?.reason
  return reason === undefined ? 'taken' : { cancelled: reason }
}

/** A settlement on its way, and who wants to know whether it was taken. */
interface Entry {
  readonly settlement: Settlement
  readonly settled: (answer: Answer) => void
  /** It was in a call that has failed, which may have been carried out although its answer never came. */
  wasTried: boolean
}

/**
 * Writes the ends of attempts, and claims the next jobs in the same call. One call is under way at a time; what ends meanwhile is
 * collected for the next one, so that batches grow with the load. A call that fails is made again, with growing delays, until the store
 * takes it.
 */
export class Completer {
  readonly #engine: EngineContext
  readonly #owner: CompleterOwner
  #entries: Entry[] = []
  /** Those of the call under way. */
  #writing: readonly Entry[] = []
  #isBusy = false
  #isScheduled = false
  #isClosed = false
  #timer: Disposable | undefined
  #whenIdle: (() => void)[] = []

  constructor(engine: EngineContext, owner: CompleterOwner) {
    this.#engine = engine
    this.#owner = owner
  }

  /** Tokens of the claims whose ends are not written. */
  *held(): Generator<number> {
    for (const { settlement } of this.#writing) yield settlement.token
    for (const { settlement } of this.#entries) yield settlement.token
  }

  add(settlement: Settlement, settled: Entry['settled']): void {
    this.#entries.push({ settlement, settled, wasTried: false })
    this.look()
  }

  /** There may be something to write or to claim. What else happens in this turn goes along. */
  look(): void {
    if (this.#isBusy || this.#isScheduled || this.#isClosed || this.#timer !== undefined) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      void this.#write()
    })
  }

  /** Resolves when nothing is under way and nothing waits. */
  async idle(): Promise<void> {
    while (this.#isBusy || this.#isScheduled || this.#entries.length > 0)
      await new Promise<void>(resolve => this.#whenIdle.push(resolve))
  }

  /** Writes nothing any more. Answers how many settlements were not written. */
  close(): number {
    this.#isClosed = true
    clearTimer(this.#timer)
    this.#timer = undefined
    const left = this.#entries
    this.#entries = []
    for (const { settled } of left) settled('unknown')
    this.#tellIdle()
    return left.length
  }

  async #write(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return
    this.#isBusy = true
    const entries = this.#entries
    this.#entries = []
    this.#writing = entries
    // Those that end from here on go with the next call, behind their own reports
    const { reporter } = this.#engine
    if (entries.length > 0 && !reporter.isEmpty) await reporter.flush()
    // Asked only now, for a stop may have come meanwhile (JOB-9)
    const request = this.#isClosed ? undefined : this.#owner.claimRequest(entries.length > 0)
    if (this.#isClosed || (entries.length === 0 && request === undefined)) return this.#giveUp(entries)
    const { storeHealth } = this.#engine
    const operation = entries.length > 0 ? 'settle' : 'claim'
    try {
      const claimed = await this.#call(entries, request)
      this.#isBusy = false
      this.#writing = []
      storeHealth.worked(operation)
      if (claimed !== undefined && request !== undefined) this.#owner.claimed(claimed, request)
      this.look()
    } catch (error) {
      this.#isBusy = false
      this.#writing = []
      storeHealth.failed(operation, error)
      if (request !== undefined) this.#owner.claimFailed()
      if (this.#isClosed) for (const { settled } of entries) settled('unknown')
      else {
        for (const entry of entries) entry.wasTried = true
        this.#entries = [...entries, ...this.#entries]
        this.#timer = this.#engine.clock.setTimer(storeHealth.delayMs(operation), () => {
          this.#timer = undefined
          this.look()
        })
      }
    }
  }

  /** There is nothing to write, or nobody to write it. */
  #giveUp(entries: readonly Entry[]): void {
    this.#isBusy = false
    this.#writing = []
    for (const { settled } of entries) settled('unknown')
    this.#tellIdle()
  }

  async #call(entries: readonly Entry[], request: ClaimRequest | undefined): Promise<Claimed | undefined> {
    const { store } = this.#engine
    if (entries.length === 0) return request === undefined ? undefined : store.claim(request)
    const settlements = entries.map(({ settlement }) => settlement)
    const answers = await store.settle(settlements, request)
    for (const [index, { settled, wasTried }] of entries.entries()) {
      const answer = answerAt(answers, index)
      settled(answer === 'refused' && wasTried ? 'unknown' : answer)
    }
    return answers.claimed
  }

  #tellIdle(): void {
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of waiting) resolve()
  }
}
