import { claim } from '@genstage/testing'
import type {
  Claimed,
  ClaimedJob,
  ClaimRequest,
  Failure,
  Hint,
  Inserted,
  JobState,
  NewJob,
  Rescued,
  Settlement,
  Store,
  StoredJob,
} from '../../store.ts'
import { picked, same } from './same.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** The lease of runners here, and the limit of crashes. */
export const leaseMs = 30_000
export const crashLimit = 3

/** What a settlement says beside whose it is. */
export type Ending = Settlement extends infer One
  ? One extends Settlement
    ? Omit<One, 'seq' | 'token' | 'ranMs'>
    : never
  : never

export const failure: Failure = {
  code: 'E_TEST',
  name: 'TypeError',
  message: 'it broke',
  stack: 'TypeError: it broke\n    at here',
}

/** A store with what makes cases short: jobs by number, one queue, one kind, and runners that come when they are named. */
export class StoreBench {
  readonly store: Store
  readonly #under: StoreUnderTest
  readonly #runners = new Set<string>()
  #jobs = 0

  constructor(under: StoreUnderTest) {
    this.#under = under
    this.store = under.store
  }

  /** A second handle on the same data, or the same one where there is no other. */
  async reopen(): Promise<Store> {
    return (await this.#under.reopen?.()) ?? this.store
  }

  async advance(ms: number): Promise<void> {
    await this.#under.advance(ms)
  }

  newJob(job: Partial<NewJob> = {}): NewJob {
    const id = `00000000-0000-4000-8000-${String(++this.#jobs).padStart(12, '0')}`
    return { id, queue: 'q', kind: 'k', version: 1, args: '{}', priority: 0, delayMs: 0, maxAttempts: 3, ...job }
  }

  /** Inserts, and answers the ids. */
  async insert(...jobs: readonly Partial<NewJob>[]): Promise<readonly string[]> {
    return (await this.insertAll(jobs)).map(({ id }) => id)
  }

  async insertAll(jobs: readonly Partial<NewJob>[]): Promise<readonly Inserted[]> {
    return this.store.insert(jobs.map(job => this.newJob(job)))
  }

  async register(runner: string): Promise<void> {
    this.#runners.add(runner)
    const queues = [{ name: 'q', concurrency: 10 }]
    await this.store.register({ id: runner, name: 'mine', host: 'here', pid: 4_242, queues, metadata: '{"zone":"a"}' }, leaseMs)
  }

  async request(request: Partial<ClaimRequest> = {}): Promise<ClaimRequest> {
    const whole = { runner: 'runner-1', queue: 'q', limit: 100, kinds: ['k'], ...request }
    if (!this.#runners.has(whole.runner)) await this.register(whole.runner)
    return whole
  }

  async claimed(request: Partial<ClaimRequest> = {}): Promise<Claimed> {
    return this.store.claim(await this.request(request))
  }

  async claim(request: Partial<ClaimRequest> = {}): Promise<readonly ClaimedJob[]> {
    return (await this.claimed(request)).jobs
  }

  /** Claims one job, which has to be there. */
  async claimOne(request: Partial<ClaimRequest> = {}): Promise<ClaimedJob> {
    const [job] = await this.claim({ limit: 1, ...request })
    claim(job !== undefined, 'nothing was claimed, where a job should have waited')
    return job
  }

  async settle(job: ClaimedJob, ending: Ending, ranMs: number = 0): Promise<boolean> {
    const { accepted } = await this.store.settle([settlement(job, ending, ranMs)])
    same(accepted.length, 1, 'number of answers to one settlement')
    return accepted[0] === true
  }

  async find(id: string): Promise<StoredJob> {
    const [job] = await this.store.find([id])
    claim(job !== undefined, `job ${id} is not there`)
    return job
  }

  async states(ids: readonly string[]): Promise<readonly (JobState | undefined)[]> {
    return (await this.store.find(ids)).map(job => job?.state)
  }

  async has(id: string, wanted: Partial<StoredJob>, when: string): Promise<StoredJob> {
    const job = await this.find(id)
    same(picked(job, wanted), wanted, `job ${id} ${when}`)
    return job
  }

  /** Sends a heartbeat for the runners named. */
  async beat(...runners: readonly string[]): Promise<void> {
    for (const runner of runners) {
      const { alive } = await this.store.heartbeat(runner, leaseMs)
      claim(alive, `the runner ${runner} beats, and was judged dead`)
    }
  }

  async rescue(runner: string, limit: number = 1_000): Promise<Rescued> {
    return this.store.rescue({ runner, crashLimit, limit })
  }

  /** Lets all runners but those named be silent until they are dead, and rescues what they held. */
  async die(...survivors: readonly [string, ...(readonly string[])]): Promise<Rescued> {
    for (const runner of survivors) if (!this.#runners.has(runner)) await this.register(runner)
    const before = await this.rescue(survivors[0])
    for (let part = 0; part < 4; part++) {
      await this.advance(leaseMs / 4 + 1)
      await this.beat(...survivors)
    }
    const after = await this.rescue(survivors[0])
    for (const runner of [...before.runners, ...after.runners]) this.#runners.delete(runner)
    return { runners: [...before.runners, ...after.runners], jobs: [...before.jobs, ...after.jobs], more: after.more }
  }

  /** Collects hints from now on. */
  hints(): Hint[] {
    const hints: Hint[] = []
    this.store.listen(hint => void hints.push(hint))
    return hints
  }

  /** All jobs there are, newest first, by pages. */
  async all(limit: number = 100): Promise<readonly StoredJob[]> {
    const jobs: StoredJob[] = []
    for (let before: number | undefined; ;) {
      const page = await this.store.list({ limit, before })
      jobs.push(...page.jobs)
      if (page.next === undefined) return jobs
      claim(page.next < (before ?? Infinity), 'the page behind a page does not begin below it')
      before = page.next
    }
  }

  /** Counts again what the store counts (ROW-R6, ROW-G28). */
  async recount(): Promise<void> {
    const { queues } = await this.store.stats()
    const recounted: Record<string, Record<string, number>> = {}
    for (const name of Object.keys(queues)) {
      recounted[name] = { delayed: 0, waiting: 0, running: 0, completed: 0, failed: 0, discarded: 0, cancelled: 0 }
    }
    for (const { id, queue, state } of await this.all()) {
      const counts = recounted[queue]
      claim(counts !== undefined, `job ${id} is in queue "${queue}", which the stats do not know`)
      counts[state] = (counts[state] ?? 0) + 1
    }
    for (const [name, counts] of Object.entries(recounted)) {
      const counted = queues[name]
      same(counted === undefined ? {} : picked(counted, counts), counts, `stats of queue "${name}" against a recount`)
    }
  }
}

export function settlement(job: ClaimedJob, ending: Ending, ranMs: number = 0): Settlement {
  return { ...ending, seq: job.seq, token: job.token, ranMs }
}
