import type { Held, JobPage, JobState, ListQuery, StoredJob, StoreStats, TerminalState } from '../../store.ts'
import { FinishedJobs } from './finished-jobs.ts'
import type { Hints } from './hints.ts'
import { JobList } from './job-list.ts'
import type { MemoryJob } from './memory-job.ts'
import { MemoryQueue } from './memory-queue.ts'
import type { Uniques } from './uniques.ts'

/** All jobs, each where its state wants it to be. The only place where a job changes its state. */
export class JobTable {
  readonly #hints: Hints
  readonly #uniques: Uniques
  readonly #byId = new Map<string, MemoryJob>()
  readonly #list = new JobList()
  readonly #queues = new Map<string, MemoryQueue>()
  /** By token. */
  readonly #running = new Map<number, MemoryJob>()
  readonly #finished: Readonly<Record<TerminalState, FinishedJobs>> = {
    completed: new FinishedJobs(),
    failed: new FinishedJobs(),
    discarded: new FinishedJobs(),
    cancelled: new FinishedJobs(),
  }
  /** How many were ever completed; how many ever failed or were discarded. */
  #processed = 0
  #failed = 0
  #lastSeq = 0
  #lastToken = 0

  constructor(hints: Hints, uniques: Uniques) {
    this.#hints = hints
    this.#uniques = uniques
  }

  /** A number for a new job, never given before. */
  nextSeq(): number {
    return ++this.#lastSeq
  }

  /** A number for a claim, never given before. */
  nextToken(): number {
    return ++this.#lastToken
  }

  get(id: string): MemoryJob | undefined {
    return this.#byId.get(id)
  }

  /** The job, in the state it has at this time. */
  find(id: string, now: number): MemoryJob | undefined {
    const job = this.#byId.get(id)
    return job && this.#asOf(now, job)
  }

  /** The job that is running by this claim, and by no later one. */
  held({ seq, token }: Held): MemoryJob | undefined {
    const job = this.#running.get(token)
    return job?.seq === seq ? job : undefined
  }

  queue(name: string): MemoryQueue {
    let queue = this.#queues.get(name)
    if (queue === undefined) this.#queues.set(name, (queue = new MemoryQueue(name)))
    return queue
  }

  findQueue(name: string): MemoryQueue | undefined {
    return this.#queues.get(name)
  }

  finished(state: TerminalState): FinishedJobs {
    return this.#finished[state]
  }

  /** Takes in a new job, which waits from `runAt` on. */
  add(job: MemoryJob, now: number): void {
    this.#byId.set(job.id, job)
    this.#list.add(job)
    this.#enter(job, job.runAt <= now ? 'waiting' : 'delayed')
  }

  /** Moves a job to another state, or to its new place in the same one. */
  move(job: MemoryJob, state: JobState): void {
    this.#leave(job)
    this.#enter(job, state)
  }

  /** Lets a job wait until a time. */
  schedule(job: MemoryJob, runAt: number, now: number): void {
    // Not before it has left its place, which depends on it
    this.#leave(job)
    job.runAt = runAt
    this.#enter(job, runAt <= now ? 'waiting' : 'delayed')
  }

  remove(job: MemoryJob): void {
    this.#leave(job)
    this.#uniques.ended(job)
    this.#byId.delete(job.id)
    this.#list.remove(job)
  }

  /** Forgets a queue, with what has finished in it. */
  removeQueue(name: string): void {
    for (const jobs of Object.values(this.#finished)) for (const job of jobs) if (job.queue === name) this.remove(job)
    this.#queues.delete(name)
  }

  /** Delayed jobs that have become due wait from now on. */
  awaken(queue: MemoryQueue, now: number): void {
    for (let job = queue.soonest; job !== undefined && job.runAt <= now; job = queue.soonest) {
      this.#leave(job)
      this.#place(job, 'waiting', queue)
    }
  }

  page(query: ListQuery, now: number): JobPage {
    const jobs: StoredJob[] = []
    for (const job of this.#list.newestFirst(query.before)) {
      if (!fits(this.#asOf(now, job), query)) continue
      if (jobs.length === query.limit) return { jobs, next: jobs.at(-1)?.seq }
      jobs.push(job.stored())
    }
    return { jobs, next: undefined }
  }

  stats(now: number): StoreStats {
    for (const queue of this.#queues.values()) this.awaken(queue, now)
    const queues = Object.fromEntries([...this.#queues].map(([name, queue]) => [name, queue.stats()]))
    return { queues, processed: this.#processed, failed: this.#failed }
  }

  #asOf(now: number, job: MemoryJob): MemoryJob {
    if (job.state === 'delayed' && job.runAt <= now) this.awaken(this.queue(job.queue), now)
    return job
  }

  #leave(job: MemoryJob): void {
    const queue = this.queue(job.queue)
    queue.counts[job.state]--
    switch (job.state) {
      case 'delayed':
      case 'waiting':
        return queue.remove(job)
      case 'running':
        this.#running.delete(job.token)
        job.heldWith?.delete(job)
        job.heldWith = undefined
        return
      default:
        this.#finished[job.state].remove(job)
    }
  }

  #enter(job: MemoryJob, state: JobState): void {
    const queue = this.queue(job.queue)
    this.#place(job, state, queue)
    switch (state) {
      case 'waiting':
        return this.#hints.waiting(job.queue)
      case 'delayed':
        // Who sleeps until the soonest one has to know that it is another now
        if (queue.soonest === job) this.#hints.waiting(job.queue)
        return
      case 'running':
        return this.#uniques.started(job)
      case 'completed':
        this.#processed++
        break
      case 'failed':
      case 'discarded':
        this.#failed++
        break
      case 'cancelled':
    }
    this.#uniques.ended(job)
    this.#hints.add({ type: 'finished', id: job.id, state })
  }

  #place(job: MemoryJob, state: JobState, queue: MemoryQueue): void {
    job.state = state
    queue.counts[state]++
    if (state === 'waiting') queue.wait(job)
    else if (state === 'delayed') queue.delay(job)
    else if (state === 'running') this.#running.set(job.token, job)
    else this.#finished[state].add(job)
  }
}

function fits(job: MemoryJob, { queues, kinds, states, tag }: ListQuery): boolean {
  return (
    (queues === undefined || queues.includes(job.queue)) &&
    (kinds === undefined || kinds.includes(job.kind)) &&
    (states === undefined || states.includes(job.state)) &&
    (tag === undefined || job.tags.includes(tag))
  )
}
