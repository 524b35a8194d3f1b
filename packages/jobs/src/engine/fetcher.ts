import { type AnyMessages, producer, type ProducerDefinition, type StageRef, type Subscriber } from '@genstage/core'
import type { ClaimedJob } from '../store.ts'

/** The queue as its fetcher sees it. */
export interface FetcherQueue {
  /** A fetcher begins its life. */
  attach(fetcher: StageRef<AnyMessages>): void
  /** Up to `demand` jobs that can start now. */
  take(demand: number): readonly ClaimedJob[]
  /** So much demand is left. */
  wanted(demand: number): void
  subscribed(executors: Subscriber): void
}

/**
 * The producer of a queue's jobs. Demand is places that are free; what it cannot be met with now is remembered, and met when jobs have
 * been claimed (ROW-G9). The claims themselves are the completer's, which makes them along with its writes.
 */
export const Fetcher: ProducerDefinition<ClaimedJob, FetcherQueue> = producer((queue: FetcherQueue, ctx) => {
  let demand = 0
  queue.attach(ctx.self)
  const give = (): readonly ClaimedJob[] => {
    const jobs = queue.take(demand)
    demand -= jobs.length
    queue.wanted(demand)
    return jobs
  }
  return {
    handleDemand(n) {
      demand += n
      return give()
    },
    /** There may be jobs that can start. */
    handleCast: (_look: 'look') => give(),
    handleSubscribe: from => queue.subscribed(from),
  }
})
