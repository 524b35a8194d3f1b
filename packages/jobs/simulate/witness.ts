import type {
  Claimed,
  ClaimRequest,
  Held,
  Inserted,
  NewJob,
  PruneRequest,
  Rescued,
  RescueRequest,
  Settlement,
  Store,
  StoreContext,
  TerminalState,
} from '../src/store.ts'
import { type DelayRange, exactly, retryRange } from './delay-range.ts'
import { compareClaims, isSameState, isTerminal, type KnownJob, KnownJobs } from './known-jobs.ts'
import type { Ledger } from './ledger.ts'
import { kindNames } from './plan.ts'

/** A runner that is registered. */
interface Registration {
  leaseEndsAt: number
}

/**
 * Stands before the store, and sees every call that is carried out, in its order. It keeps a book of its own, and writes down where an
 * answer does not fit: two holders of one job, a start before its time, a settlement that had to be refused.
 */
export class Witness {
  readonly known = new KnownJobs()
  readonly store: Store
  readonly #inner: Store
  readonly #ledger: Ledger
  readonly #runners = new Map<string, Registration>()
  /** Those that were judged dead, and what they held is not yet taken back. */
  readonly #buried = new Set<string>()
  readonly #paused = new Set<string>()
  #lastToken = 0
  #now = 0
  /** The latest date that the store has seen: what was due once stays so, also when the date jumps back. */
  #latest = 0
  #context: StoreContext | undefined
  /** The calls before: one is carried out, and looked at, after the other. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(inner: Store, ledger: Ledger) {
    this.#inner = inner
    this.#ledger = ledger
    this.store = this.#watched()
  }

  /** The date of the store at the call that is looked at. */
  get now(): number {
    return this.#now
  }

  /** The latest date that the store has seen. */
  get latest(): number {
    return this.#latest
  }

  get runners(): readonly string[] {
    return [...this.#runners.keys()]
  }

  #watched(): Store {
    const inner = this.#inner
    return {
      name: inner.name,
      open: context => {
        this.#context = context
        return inner.open(context)
      },
      close: () => inner.close(),
      insert: jobs =>
        this.#call(
          () => inner.insert(jobs),
          answer => this.#inserted(jobs, answer),
        ),
      claim: request =>
        this.#call(
          () => inner.claim(request),
          answer => this.#claimed(request, answer),
        ),
      settle: (settlements, next) =>
        this.#call(
          () => inner.settle(settlements, next),
          async ({ accepted, claimed }) => {
            for (const [index, settlement] of settlements.entries()) this.#settled(settlement, accepted[index])
            if (next !== undefined && claimed !== undefined) await this.#claimed(next, claimed)
          },
        ),
      begin: held =>
        this.#call(
          () => inner.begin(held),
          answer => this.#begun(held, answer),
        ),
      report: reports =>
        this.#call(
          () => inner.report(reports),
          answer => {
            for (const [index, report] of reports.entries()) this.#fenced('report', report, answer[index])
          },
        ),
      register: (runner, leaseMs) =>
        this.#call(
          () => inner.register(runner, leaseMs),
          () => void this.#runners.set(runner.id, { leaseEndsAt: this.#time + leaseMs }),
        ),
      heartbeat: (runner, leaseMs, figures) =>
        this.#call(
          () => inner.heartbeat(runner, leaseMs, figures),
          ({ alive }) => this.#beaten(runner, leaseMs, alive),
        ),
      unregister: runner =>
        this.#call(
          () => inner.unregister(runner),
          () => {
            this.#runners.delete(runner)
            for (const job of this.known.heldBy(runner)) this.#release(job)
          },
        ),
      rescue: request =>
        this.#call(
          () => inner.rescue(request),
          answer => this.#rescued(request, answer),
        ),
      holdings: runner => this.#call(() => inner.holdings(runner)),
      cancellations: runner => this.#call(() => inner.cancellations(runner)),
      find: ids => this.#call(() => inner.find(ids)),
      list: query => this.#call(() => inner.list(query)),
      logs: id => this.#call(() => inner.logs(id)),
      remove: ids =>
        this.#call(
          () => inner.remove(ids),
          answers => this.#each(ids, answers, 'removed', job => this.#remove(job)),
        ),
      cancel: (ids, reason) =>
        this.#call(
          () => inner.cancel(ids, reason),
          answers => {
            this.#each(ids, answers, 'cancelled', job => this.#end(job, 'cancelled'))
            this.#each(ids, answers, 'requested', job => void (job.isCancelRequested = true))
          },
        ),
      reschedule: (ids, inMs) =>
        this.#call(
          () => inner.reschedule(ids, inMs),
          answers => this.#each(ids, answers, 'rescheduled', job => void (job.runAt = this.now + inMs)),
        ),
      retry: ids =>
        this.#call(
          () => inner.retry(ids),
          answers =>
            this.#each(ids, answers, 'retried', job =>
              Object.assign(job, { state: 'open', attempts: 0, crashes: 0, isCancelRequested: false, runAt: this.now }),
            ),
        ),
      stats: () => this.#call(() => inner.stats()),
      pauseQueue: queue =>
        this.#call(
          () => inner.pauseQueue(queue),
          () => void this.#paused.add(queue),
        ),
      resumeQueue: queue =>
        this.#call(
          () => inner.resumeQueue(queue),
          () => void this.#paused.delete(queue),
        ),
      clearQueue: queue =>
        this.#call(
          () => inner.clearQueue(queue),
          () => {
            for (const job of this.known.all()) if (job.queue === queue && job.state === 'open') this.#remove(job)
          },
        ),
      removeQueue: queue => this.#call(() => inner.removeQueue(queue)),
      runners: () => this.#call(() => inner.runners()),
      lead: runner => this.#call(() => inner.lead(runner)),
      prune: request =>
        this.#call(
          () => inner.prune(request),
          () => this.#pruned(request),
        ),
      listen: listener => inner.listen(listener),
    }
  }

  get #time(): number {
    return this.#context?.clock.now() ?? 0
  }

  #call<Answer>(call: () => Promise<Answer>, look: (answer: Answer) => void | Promise<void> = () => {}): Promise<Answer> {
    this.#ledger.counts.calls++
    const done = this.#tail.then(async () => {
      this.#now = this.#context?.clock.wallTime() ?? 0
      this.#latest = Math.max(this.#latest, this.#now)
      const answer = await call()
      await look(answer)
      return answer
    })
    this.#tail = done.catch(() => {})
    return done
  }

  async #inserted(jobs: readonly NewJob[], answers: readonly Inserted[]): Promise<void> {
    for (const [index, job] of jobs.entries()) {
      const answer = answers[index]
      if (answer === undefined) this.#ledger.violated('JOB-1', `insert gave no answer for job ${job.id}`)
      else await this.#insertedOne(job, answer)
    }
  }

  async #insertedOne(job: NewJob, { id, outcome }: Inserted): Promise<void> {
    const { unique } = job
    if (outcome === 'inserted') {
      const rival = unique === undefined ? undefined : this.known.holderOf(unique.key)
      if (rival !== undefined) this.#ledger.violated('JOB-10', `job ${id} was stored beside ${rival.id} of the same key`)
      // That of a window's end is known by the store alone
      const [stored] = unique?.conflict === 'next' ? await this.#inner.find([id]) : []
      this.known.byId.set(id, {
        ...job,
        seq: undefined,
        unique,
        runAt: stored?.runAt ?? job.runAt ?? this.now + job.delayMs,
        state: 'open',
        finishedAt: undefined,
        holder: undefined,
        attempts: 0,
        crashes: 0,
        isCancelRequested: false,
        holdsKey: unique !== undefined && typeof unique.until !== 'number',
      })
      this.#ledger.counts.jobs++
      return
    }
    const holder = this.known.byId.get(id)
    if (holder === undefined || (id !== job.id && holder.unique?.key !== unique?.key))
      return this.#ledger.violated('JOB-10', `job ${job.id} is called a duplicate of ${id}, which has not its key`)
    if (outcome !== 'replaced') return
    if (holder.state !== 'open') this.#ledger.violated('JOB-10', `job ${id} was replaced, and is ${holder.state}`)
    const { args, priority, maxAttempts } = job
    Object.assign(holder, { args, priority, maxAttempts, runAt: job.runAt ?? this.now + job.delayMs, attempts: 0, crashes: 0 })
  }

  async #claimed(request: ClaimRequest, { jobs }: Claimed): Promise<void> {
    const { runner, queue, limit, kinds } = request
    const mayBe = (job: KnownJob): boolean =>
      job.state === 'open' && job.queue === queue && kinds.includes(job.kind) && job.runAt <= this.#latest
    const due = this.#paused.has(queue) || !this.#runners.has(runner) ? [] : this.known.all().filter(mayBe)
    // After a jump of the date the store may or may not have seen that they were due
    const isSure = due.every(({ runAt }) => runAt <= this.now)
    if (due.some(({ seq }) => seq === undefined)) await this.#learnNumbers(due)
    const expected = due.toSorted(compareClaims).slice(0, limit)

    for (const [index, job] of jobs.entries()) {
      const known = this.known.byId.get(job.id)
      if (known === undefined) this.#ledger.violated('JOB-1', `job ${job.id} was claimed, and nobody had stored it`)
      else if (known.state === 'held')
        this.#ledger.violated('JOB-4', `job ${job.id} was claimed by ${runner} while ${known.holder?.runner ?? ''} holds it`)
      else if (isTerminal(known.state)) this.#ledger.violated('JOB-5', `job ${job.id} was claimed although it is ${known.state}`)
      else if (known.runAt > this.#latest)
        this.#ledger.violated('JOB-3', `job ${job.id} was claimed ${known.runAt - this.#latest} ms before its time`)
      else if (!kinds.includes(known.kind))
        this.#ledger.violated('JOB-19', `job ${job.id} of kind ${known.kind} was given to a runner without a handler for it`)
      else if (isSure && known !== expected[index])
        this.#ledger.violated('JOB-12', `job ${job.id} was claimed where ${expected[index]?.id ?? 'none'} was first`)
      else if (job.attempt !== known.attempts + 1 || job.attempt > known.maxAttempts || job.crashes !== known.crashes)
        this.#ledger.violated(
          'JOB-7',
          `job ${job.id} begins attempt ${job.attempt} of ${known.maxAttempts} with ${job.crashes} crashes; seen were ${known.attempts} and ${known.crashes}`,
        )
      if (job.args !== known?.args) this.#ledger.violated('JOB-17', `job ${job.id} was stored with other args`)
      if (job.token <= this.#lastToken) this.#ledger.violated('JOB-4', `token ${job.token} was given again`)
      this.#lastToken = Math.max(this.#lastToken, job.token)
      if (known === undefined) continue
      known.seq = job.seq
      this.known.bySeq.set(job.seq, known)
      known.state = 'held'
      known.holder = { token: job.token, runner, hasBegun: false }
      if (known.unique?.until === 'started') known.holdsKey = false
    }
    if (isSure && jobs.length < expected.length)
      this.#ledger.violated('JOB-12', `a claim gave ${jobs.length} jobs of queue ${queue} where ${expected.length} were due`)
  }

  /** Of jobs that were never claimed only the store knows the place. */
  async #learnNumbers(jobs: readonly KnownJob[]): Promise<void> {
    const stored = await this.#inner.find(jobs.map(({ id }) => id))
    for (const [index, job] of jobs.entries()) job.seq ??= stored[index]?.seq
  }

  #settled(settlement: Settlement, accepted: boolean | undefined): void {
    if (!this.#fenced('settle', settlement, accepted)) return
    const job = this.known.held(settlement)
    if (job === undefined) return
    switch (settlement.to) {
      case 'completed':
      case 'failed':
      case 'discarded':
      case 'cancelled':
        return this.#end(job, settlement.to)
      case 'retry':
        this.#checkRetry(job, settlement)
        job.attempts++
        if (job.attempts >= job.maxAttempts)
          this.#ledger.violated('JOB-7', `job ${job.id} is tried again after ${job.attempts} of ${job.maxAttempts} attempts`)
        return this.#reopen(job, this.now + settlement.inMs)
      case 'snooze':
        this.#checkSnooze(job, settlement)
        return this.#reopen(job, this.now + settlement.inMs)
      case 'release':
        return this.#release(job)
    }
  }

  /** JOB-13: a failed attempt comes back when its handler has asked for, or else when the back-off of its kind says. */
  #checkRetry(job: KnownJob, { token, inMs, failure }: Extract<Settlement, { to: 'retry' }>): void {
    const act = this.#ledger.acts.get(token)
    const kind = kindNames.find(name => name === job.kind)
    if (act === undefined || kind === undefined)
      return this.#ledger.violated('JOB-13', `job ${job.id} is tried again, and its handler was not called`)
    const isTimeout = failure.code === 'JOB_TIMEOUT'
    this.#checkDelay(job, inMs, retryRange({ kind, attempt: job.attempts + 1, act, isTimeout }))
  }

  /** One that was not to begin, because the store could not be told that it does, is put off too. */
  #checkSnooze(job: KnownJob, { token, inMs }: Extract<Settlement, { to: 'snooze' }>): void {
    const act = this.#ledger.acts.get(token)
    if (act === undefined) this.#checkDelay(job, inMs, { leastMs: 1, mostMs: Infinity })
    else if (act.do === 'snooze') this.#checkDelay(job, inMs, exactly(act.inMs))
    else this.#ledger.violated('JOB-13', `job ${job.id} is put off, and its handler has not asked for it`)
  }

  #checkDelay({ id, kind, attempts }: KnownJob, inMs: number, { leastMs, mostMs }: DelayRange): void {
    if (inMs >= leastMs && inMs <= mostMs) return
    const allowed = leastMs === mostMs ? `${leastMs}` : `${leastMs} to ${mostMs}`
    this.#ledger.violated('JOB-13', `job ${id} (${kind}) comes back ${inMs} ms after attempt ${attempts + 1}, not ${allowed}`)
  }

  #begun(held: readonly Held[], answers: readonly boolean[]): void {
    for (const [index, one] of held.entries()) {
      this.#fenced('begin', one, answers[index])
      const { holder } = this.known.held(one) ?? {}
      if (holder !== undefined) holder.hasBegun = true
    }
  }

  /** Who holds the job is heard, and nobody else. */
  #fenced(method: string, held: Held, answer: boolean | undefined): boolean {
    const isHeld = this.known.held(held) !== undefined
    if (!isHeld) this.#ledger.counts.staleRefused++
    if (answer !== isHeld)
      this.#ledger.violated(
        'JOB-4',
        `${method} of number ${held.seq} with token ${held.token} was ${answer === true ? 'taken' : 'refused'}`,
      )
    return isHeld
  }

  #beaten(runner: string, leaseMs: number, alive: boolean): void {
    const registration = this.#runners.get(runner)
    if (alive !== (registration !== undefined))
      this.#ledger.violated('JOB-8', `a heartbeat told ${runner} that it is ${alive ? 'alive' : 'dead'}`)
    if (registration !== undefined) registration.leaseEndsAt = this.#time + leaseMs
  }

  #rescued({ runner, crashLimit }: RescueRequest, answer: Rescued): void {
    for (const id of answer.runners) {
      const endsAt = this.#runners.get(id)?.leaseEndsAt
      if (endsAt === undefined || endsAt > this.#time)
        this.#ledger.violated('JOB-8', `runner ${id} was judged dead although its heart beats`)
      this.#runners.delete(id)
      this.#buried.add(id)
    }
    for (const [id, { leaseEndsAt }] of this.#runners)
      if (id !== runner && leaseEndsAt <= this.#time) this.#ledger.violated('JOB-8', `runner ${id} is dead, and was not found so`)
    for (const { id, state } of answer.jobs) {
      const job = this.known.byId.get(id)
      if (job?.holder === undefined || !this.#buried.has(job.holder.runner)) {
        this.#ledger.violated('JOB-8', `job ${id} was taken from a runner that lives`)
        continue
      }
      if (job.holder.hasBegun || (job.crashes === 0 && crashLimit > 1)) {
        job.crashes++
        this.#ledger.counts.crashes++
      }
      if (job.isCancelRequested) this.#end(job, 'cancelled')
      else if (job.crashes >= crashLimit) this.#end(job, 'failed')
      else this.#release(job)
      const isRight = job.state === 'open' ? state === 'waiting' : job.state === state
      if (!isRight) this.#ledger.violated('JOB-7', `job ${id} is ${state} after ${job.crashes} crashes`)
    }
  }

  /** JOB-14: what is gone had ended, and was too old, or one too many; what is left is as it was. */
  async #pruned({ olderThanMs, keep = {} }: PruneRequest): Promise<void> {
    const before = this.known.all().filter(({ state }) => state !== 'removed')
    const stored = await this.#inner.find(before.map(({ id }) => id))
    const left = (state: TerminalState): number => stored.filter(job => job?.state === state).length
    for (const [index, job] of before.entries()) {
      const { id, state, finishedAt = Infinity } = job
      const now = stored[index]
      if (now !== undefined) {
        if (!isSameState(state, now.state))
          this.#ledger.violated('JOB-14', `pruning made job ${id} ${now.state}; it was ${state}`)
        continue
      }
      if (!isTerminal(state)) this.#ledger.violated('JOB-14', `job ${id} was pruned while it was ${state}`)
      else if (this.now - finishedAt <= (olderThanMs[state] ?? Infinity) && left(state) < (keep[state] ?? Infinity))
        this.#ledger.violated('JOB-14', `job ${id} was pruned ${this.now - finishedAt} ms after it was ${state}`)
      this.#remove(job)
    }
  }

  #each(ids: readonly string[], answers: readonly string[], wanted: string, work: (job: KnownJob) => void): void {
    for (const [index, id] of ids.entries()) {
      const job = this.known.byId.get(id)
      if (answers[index] === wanted && job !== undefined) work(job)
    }
  }

  #end(job: KnownJob, state: 'completed' | 'failed' | 'discarded' | 'cancelled'): void {
    if (isTerminal(job.state)) this.#ledger.violated('JOB-4', `job ${job.id} was ${job.state}, and is ${state} now`)
    job.state = state
    job.finishedAt = this.now
    job.holder = undefined
    job.isCancelRequested = false
    job.holdsKey = false
  }

  #remove(job: KnownJob): void {
    job.state = 'removed'
    job.holdsKey = false
  }

  #reopen(job: KnownJob, runAt: number): void {
    if (job.isCancelRequested) return this.#end(job, 'cancelled')
    job.state = 'open'
    job.holder = undefined
    job.runAt = runAt
  }

  #release(job: KnownJob): void {
    this.#reopen(job, job.runAt)
  }
}
