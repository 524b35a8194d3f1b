import { claim } from '@genstage/testing'
import type { Claimed, ClaimedJob, JobState, Store, TerminalState } from '../../../store.ts'
import { same } from '../same.ts'
import { pictureOfModel, pictureOfStored } from './model-job.ts'
import type { ModelClaimed, StoreModel } from './store-model.ts'

const openStates: readonly JobState[] = ['delayed', 'waiting']
const endedStates: readonly TerminalState[] = ['completed', 'failed', 'discarded', 'cancelled']

/** A claim, and its number in the model. */
export interface NumberedClaim {
  readonly job: ClaimedJob
  readonly number: number
}

/** Compares what can be seen of a store with the model, and remembers what was claimed. */
export class Comparison {
  readonly #store: Store
  readonly #model: StoreModel
  readonly #claims: NumberedClaim[] = []
  #lastToken = -Infinity

  constructor(store: Store, model: StoreModel) {
    this.#store = store
    this.#model = model
  }

  /** A claim that was made, counted from the newest. */
  claimAt(back: number): NumberedClaim | undefined {
    return this.#claims.at(-1 - back)
  }

  async jobs(ids: readonly string[]): Promise<void> {
    const stored = await this.#store.find(ids)
    for (const [n, id] of ids.entries()) {
      same(pictureOfStored(stored[n]), pictureOfModel(this.#model.find(id)), `job ${n + 1}`)
      const logs = await this.#store.logs(id)
      same(
        logs.map(({ message }) => message),
        this.#model.find(id)?.logged ?? [],
        `logs of job ${n + 1}`,
      )
    }
  }

  claimed(claimed: Claimed, wanted: ModelClaimed): void {
    const told = wanted.jobs.map(({ id, queue, kind, version, args, priority, attempt, maxAttempts, crashes, ...job }) => {
      const { progress, enqueuedAt, runAt, startedAt } = job
      const about = { id, queue, kind, version, args, priority, attempt, maxAttempts, crashes }
      return { ...about, progress, enqueuedAt, runAt, claimedAt: startedAt }
    })
    same(
      { ...claimed, jobs: claimed.jobs.map(({ seq: _, token: __, ...job }) => job) },
      { ...wanted, jobs: told },
      'what was claimed',
    )
    for (const [n, job] of claimed.jobs.entries()) {
      claim(job.token > this.#lastToken, `the token ${job.token} is not above ${this.#lastToken}`)
      this.#lastToken = job.token
      this.#claims.push({ job, number: wanted.jobs[n]?.claim ?? 0 })
    }
  }

  /** Prunes, and lets the model lose what is gone: of jobs that ended at the same time any may be. */
  async prune(state: TerminalState, ms: number, keep: number, limit: number): Promise<void> {
    const model = this.#model
    const allowed = new Set(model.prunable(state, ms, keep).map(({ id }) => id))
    const wanted = Math.min(limit, model.pruneCount(state, ms, keep))
    same(await this.#store.prune({ olderThanMs: { [state]: ms }, keep: { [state]: keep }, limit }), wanted, 'jobs pruned')
    const ids = model.jobs.map(({ id }) => id)
    const found = await this.#store.find(ids)
    const gone = ids.filter((_, n) => found[n] === undefined)
    same(gone.length, wanted, 'jobs that are gone')
    for (const id of gone) claim(allowed.has(id), `job ${id} was pruned, and is too young or does not belong to it`)
    model.drop(model.jobs.filter(({ id }) => gone.includes(id)))
  }

  /** All jobs of a list, by its pages. */
  async list(queue: string | undefined, which: 'open' | 'ended' | 'all', limit: number): Promise<void> {
    const states = which === 'all' ? undefined : which === 'open' ? openStates : endedStates
    const wanted = this.#model.jobs
      .filter(job => (queue === undefined || job.queue === queue) && (states?.includes(job.state) ?? true))
      .toSorted((a, b) => b.order - a.order)
    const listed = []
    for (let before: number | undefined; ;) {
      const page = await this.#store.list({ queues: queue === undefined ? undefined : [queue], states, limit, before })
      listed.push(...page.jobs)
      if (page.next === undefined) break
      same(page.jobs.length, limit, 'jobs of a page with another one behind it')
      claim(page.next < (before ?? Infinity), 'the page behind a page does not begin below it')
      before = page.next
    }
    same(listed.map(pictureOfStored), wanted.map(pictureOfModel), 'jobs listed')
  }

  async runner(runner: string): Promise<void> {
    const held = this.#model.jobs.filter(job => job.state === 'running' && job.runner === runner)
    const tokens = held.map(job => this.#claims.find(({ number }) => number === job.claim)?.job.token)
    const holdings = await this.#store.holdings(runner)
    same(numbers(holdings.map(({ token }) => token)), numbers(tokens), `holdings of ${runner}`)
    const cancelled = tokens.filter((_, n) => held[n]?.cancelReason !== undefined)
    const cancellations = await this.#store.cancellations(runner)
    same(numbers(cancellations.map(({ token }) => token)), numbers(cancelled), `cancellations of ${runner}`)
  }

  async stats(after: string): Promise<void> {
    const stats = await this.#store.stats()
    const { processed, failed, knownQueues } = this.#model
    same([stats.processed, stats.failed], [processed, failed], `processed and failed after ${after}`)
    for (const queue of new Set([...knownQueues, ...Object.keys(stats.queues)])) {
      same(stats.queues[queue], this.#model.counts(queue), `stats of queue ${queue} after ${after}`)
    }
  }
}

function numbers(list: readonly (number | undefined)[]): readonly number[] {
  return list.flatMap(one => one ?? []).toSorted((a, b) => a - b)
}
