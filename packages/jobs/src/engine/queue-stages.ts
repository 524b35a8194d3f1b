import {
  type AnyMessages,
  child,
  consumerSupervisor,
  type ConsumerSupervisorRef,
  type Maybe,
  producerName,
  type ProducerRef,
  type StageName,
  type StageRef,
  start,
  type Subscriber,
  supervisor,
  type SupervisorRef,
} from '@genstage/core'
import type { ClaimedJob } from '../store.ts'
import { clearTimer } from '../timers.ts'
import type { EngineContext } from './engine-context.ts'
import { Fetcher, type FetcherQueue } from './fetcher.ts'

/** A queue as its stages see it. */
export interface StagedQueue extends Omit<FetcherQueue, 'attach' | 'subscribed'> {
  readonly name: string
  readonly concurrency: number
  /** A fetcher begins its life: it has no demand yet. */
  attached(): void
  /** There are new executors: what was on its way to others did not get there. */
  renewed(): void
  execute(job: ClaimedJob): Maybe<void>
}

/** How many have been made in this process. */
let made = 0

/**
 * The stages of a queue: a fetcher, and executors, which are a consumer supervisor with the demand of the queue's concurrency. A supervisor
 * of their own looks after them, so that a queue that fails harms no other (ROW-G18).
 */
export class QueueStages implements FetcherQueue {
  readonly #engine: EngineContext
  readonly #queue: StagedQueue
  /** The name of the fetcher. */
  readonly #jobs: StageName<ProducerRef<ClaimedJob>>
  #tree: SupervisorRef<{ readonly fetcher: StageRef; readonly executors: ConsumerSupervisorRef<ClaimedJob> }> | undefined
  #fetcher: StageRef<AnyMessages> | undefined
  #executors: Subscriber | undefined
  #isClosed = false
  #openTimer: Disposable | undefined

  constructor(engine: EngineContext, queue: StagedQueue) {
    this.#engine = engine
    this.#queue = queue
    // One that is being dropped may still have its stages when another one of its name is added
    this.#jobs = producerName(`genstage/jobs/${engine.instance}/${queue.name}/${++made}`)
  }

  open(): void {
    const { runtime, logger, clock } = this.#engine
    const { name } = this.#queue
    const to = this.#jobs
    const Executors = consumerSupervisor((job: ClaimedJob) => this.#queue.execute(job), { shutdown: 'brutal_kill' })
    const tree = supervisor(
      [
        child(Fetcher, { id: 'fetcher', arg: this, name: to }),
        child(Executors, { id: 'executors', subscribeTo: [{ to, ...this.#demand() }], shutdown: 1_000 }),
      ],
      { strategy: 'rest_for_one', maxRestarts: 10, maxSeconds: 10, backoff: { minDelayMs: 10, maxDelayMs: 1_000 } },
    )
    this.#tree = start(tree, { runtime })
    this.#tree.monitor(({ reason }) => {
      this.#tree = undefined
      if (this.#isClosed) return
      logger.error(`the stages of queue "${name}" have ended; they are started again`, {
        code: 'STAGE_FAILED',
        queue: name,
        reason,
      })
      this.#openTimer = clock.setTimer(1_000, () => this.open())
    })
  }

  /** From now on an end of the stages is in order. */
  retire(): void {
    this.#isClosed = true
    clearTimer(this.#openTimer)
  }

  async close(): Promise<void> {
    this.retire()
    await this.#tree?.stop()
  }

  /** Makes the demand of the executors that of the concurrency. */
  resize(): void {
    const executors = this.#tree?.child('executors')
    if (this.#executors?.options.maxDemand === this.#queue.concurrency || executors === undefined) return
    this.#executors?.cancel()
    this.#executors = undefined
    executors.subscribe({ to: this.#jobs, ...this.#demand() })
  }

  /** Lets the fetcher look whether it can give something. */
  look(): void {
    this.#fetcher?.cast('look')
  }

  // ── the fetcher's side

  attach(fetcher: StageRef<AnyMessages>): void {
    this.#fetcher = fetcher
    this.#queue.attached()
  }

  subscribed(executors: Subscriber): void {
    this.#queue.renewed()
    // One subscription at a time: the older one may be of executors that still run, if the queue was resized twice at once
    this.#executors?.cancel()
    this.#executors = executors
    if (executors.options.maxDemand !== this.#queue.concurrency) this.resize()
    // The demand of the subscription before is still known to the fetcher, so that no demand may come that would give them again
    this.look()
  }

  take(demand: number): readonly ClaimedJob[] {
    return this.#queue.take(demand)
  }

  wanted(demand: number): void {
    this.#queue.wanted(demand)
  }

  #demand(): { readonly maxDemand: number; readonly minDemand: number; readonly cancel: 'temporary' } {
    const { concurrency } = this.#queue
    return { maxDemand: concurrency, minDemand: concurrency - 1, cancel: 'temporary' }
  }
}
