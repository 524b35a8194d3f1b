import type { Cancellation, NewRunner, QueueFigures, StoredRunner } from '../../store.ts'
import type { MemoryJob } from './memory-job.ts'

/** A runner that is registered. */
export interface MemoryRunner {
  readonly about: NewRunner
  readonly startedAt: number
  seenAt: number
  queues: readonly QueueFigures[]
  /** By the monotonic clock: a jump of the date ends no lease. */
  leaseEndsAt: number
  /** What it has claimed and not settled, in the order of the claims. */
  readonly holds: Set<MemoryJob>
}

/** Who works on the jobs of this store, and what the dead have left behind. */
export class Runners {
  readonly #byId = new Map<string, MemoryRunner>()
  /** What dead runners held, until all of it is rescued. */
  #estates: ReadonlySet<MemoryJob>[] = []
  #leader: string | undefined = undefined

  get(id: string): MemoryRunner | undefined {
    return this.#byId.get(id)
  }

  register(about: NewRunner, leaseEndsAt: number, wallTime: number): void {
    // Who comes under the id of another has taken its place: that one holds nothing any more
    this.#bury(about.id)
    this.#byId.set(about.id, {
      about,
      startedAt: wallTime,
      seenAt: wallTime,
      queues: about.queues.map(({ name, concurrency }) => ({ name, concurrency, running: 0, processed: 0 })),
      leaseEndsAt,
      holds: new Set(),
    })
  }

  /** Answers what the runner still holds. */
  unregister(id: string): readonly MemoryJob[] {
    const holds = this.#byId.get(id)?.holds ?? []
    this.#byId.delete(id)
    return [...holds]
  }

  /** Declares those dead whose lease is over, except the one that asks. */
  findDead(now: number, asking: string): readonly string[] {
    const dead = [...this.#byId].filter(([id, { leaseEndsAt }]) => id !== asking && leaseEndsAt <= now).map(([id]) => id)
    for (const id of dead) this.#bury(id)
    return dead
  }

  /** What dead runners held: at most `limit` jobs, and whether there are more. They leave when their state changes. */
  left(limit: number): { readonly jobs: readonly MemoryJob[]; readonly more: boolean } {
    this.#estates = this.#estates.filter(({ size }) => size > 0)
    const jobs: MemoryJob[] = []
    for (const estate of this.#estates) {
      for (const job of estate) {
        if (jobs.length === limit) return { jobs, more: true }
        jobs.push(job)
      }
    }
    return { jobs, more: false }
  }

  /** Makes this one the leader where there is none that lives. */
  lead(id: string, now: number): boolean {
    if (!this.#byId.has(id)) return false
    const leader = this.#leader === undefined ? undefined : this.#byId.get(this.#leader)
    if (leader === undefined || leader.leaseEndsAt <= now) this.#leader = id
    return this.#leader === id
  }

  /** Those that live. */
  stored(now: number): readonly StoredRunner[] {
    const alive = [...this.#byId.values()].filter(({ leaseEndsAt }) => leaseEndsAt > now)
    return alive.map(({ about, startedAt, seenAt, queues }) => ({
      id: about.id,
      name: about.name,
      host: about.host,
      pid: about.pid,
      startedAt,
      seenAt,
      queues,
      metadata: about.metadata,
    }))
  }

  #bury(id: string): void {
    const runner = this.#byId.get(id)
    if (runner === undefined) return
    this.#byId.delete(id)
    this.#estates.push(runner.holds)
  }
}

/** What a runner holds that is to be cancelled. */
export function cancellationsOf(runner: MemoryRunner | undefined): readonly Cancellation[] {
  return [...(runner?.holds ?? [])].flatMap(({ seq, token, cancelReason }) =>
    cancelReason === undefined ? [] : [{ seq, token, reason: cancelReason }],
  )
}
