import { isDeepStrictEqual } from 'node:util'
import { type JobContext, type JobRunner, JobsError, startRunner, type Store } from '../src/index.ts'
import type { StoreCall } from '../src/testing/faulty-store.ts'
import { faultyStore, storeFault } from '../src/testing/faulty-store.ts'
import type { Hint } from '../src/store.ts'
import type { Act, FaultRates, RunnerPlan } from './plan.ts'
import { type PlannedArgs, plannedKinds } from './planned-job.ts'
import { VirtualProcess } from './virtual-process.ts'
import type { World } from './world.ts'

/** The times of every simulated runner. */
export const times = {
  leaseMs: 3_000,
  heartbeatMs: 1_000,
  sweepMs: 1_500,
  pollMs: 1_000,
  abandonMs: 600,
  graceMs: 2_000,
  crashLimit: 3,
} as const

/** A handler that runs, or has been left behind. */
interface Run {
  readonly id: string
  readonly queue: string
  readonly isSuspect: boolean
}

/** A stop that was asked for. */
export interface Stopping {
  readonly askedAt: number
  graceMs: number
  isOver: boolean
}

/** A runner in a process of its own, with a store that may fail, and with eyes on what its handlers see. */
export class SimulatedRunner {
  readonly process: VirtualProcess
  readonly runner: JobRunner
  /** Ids under which its store has known it. */
  readonly ids = new Set<string>()
  stopping: Stopping | undefined
  /** The start failed, or it has stopped. */
  isOver = false
  readonly #plan: RunnerPlan
  readonly #world: World
  /** Claims that came here and whose handler was not called, by job: their tokens, oldest first. */
  readonly #delivered = new Map<string, number[]>()
  readonly #runs = new Map<JobContext, Run>()
  /** Queues whose concurrency has been changed: what is under way may be more than it is now. */
  readonly #resized = new Set<string>()
  readonly #lastToken = new Map<string, number>()

  constructor(name: string, plan: RunnerPlan, world: World, spoil: (store: Store, process: VirtualProcess) => Store) {
    this.#plan = plan
    this.#world = world
    this.process = new VirtualProcess(name, world.clock, world.random)
    const store = faultyStore(world.witness.store, {
      before: call => this.#before(call, world.faults),
      after: (call, answer) => this.#after(call, answer, world.faults),
      hint: (hint, pass) => this.#hinted(hint, pass),
    })
    // Of several processes none opens or closes what they share
    const own = spoil({ ...store, open: async () => {}, close: async () => {} }, this.process)
    this.runner = startRunner({
      store: own,
      kinds: plannedKinds(plan.kinds, {
        begin: (args, job) => this.#begun(args, job),
        delay: ms => this.process.delay(ms),
        enqueueMore: job => world.enqueueMore(this, job.client),
        crash: () => world.kill(this),
        end: job => void this.#runs.delete(job),
      }),
      queues: Object.fromEntries(
        Object.entries(plan.queues).map(([queue, concurrency]) => [queue, { concurrency, prefetchMs: plan.prefetchMs }]),
      ),
      name,
      runtime: this.process.runtime,
      signals: false,
      strayErrors: 'ignore',
      retention: plan.prunes ? { completedMs: 400, cancelledMs: 400, failedKeep: 1 } : false,
      middleware: plan.noisy ? [async (_, next) => next()] : [],
      ...times,
    })
    this.#listen()
    this.runner.done.then(
      () => (this.isOver = true),
      () => (this.isOver = true),
    )
  }

  get name(): string {
    return this.process.name
  }

  /** Whether it works, or would if it were not frozen. */
  get isUp(): boolean {
    return !this.process.isDead && !this.isOver && this.stopping === undefined
  }

  get running(): number {
    return this.#runs.size
  }

  handles(kind: string, queue: string): boolean {
    return this.#plan.kinds.some(each => each === kind) && this.runner.queues.some(({ name }) => name === queue)
  }

  stop(graceMs: number): void {
    const askedAt = this.#world.clock.now()
    this.stopping ??= { askedAt, graceMs, isOver: false }
    const { stopping } = this
    stopping.graceMs = Math.min(stopping.graceMs, askedAt - stopping.askedAt + graceMs)
    void this.runner.stop({ graceMs }).then(() => this.#stopped(stopping))
  }

  resize(queue: string, concurrency: number): void {
    this.#resized.add(queue)
    this.runner.queues.find(({ name }) => name === queue)?.resize(concurrency)
  }

  addQueue(queue: string, concurrency: number): void {
    this.#resized.add(queue)
    if (this.runner.queues.some(({ name }) => name === queue)) return
    try {
      this.runner.addQueue(queue, concurrency)
    } catch (error) {
      // Its start has failed, which `done` tells when all is let go
      if (!(error instanceof JobsError) || error.code !== 'STOPPED') throw error
    }
  }

  dropQueue(queue: string): void {
    this.#resized.add(queue)
    if (this.runner.queues.some(({ name }) => name === queue)) void this.runner.dropQueue(queue, { graceMs: 500 })
  }

  // ── between the runner and the store

  async #before({ method, args }: StoreCall, { before, latencyMs }: FaultRates): Promise<void> {
    const { random, clock } = this.#world
    if (this.process.isDead) return this.process.alive()
    const claims = method === 'claim' || (method === 'settle' && args[1] !== undefined)
    if (claims && this.stopping !== undefined && clock.now() > this.stopping.askedAt)
      this.#world.ledger.violated('JOB-9', `${this.name} claims after its stop`)
    const [first] = args
    if (method === 'register' && typeof first === 'object' && first !== null && 'id' in first) this.ids.add(String(first.id))
    if (latencyMs > 0 && random() < 0.3) await this.process.delay(random() * latencyMs)
    await this.process.alive()
    if (random() < before) throw storeFault(random() < 0.5 ? 'STORE_UNAVAILABLE' : 'STORE_BUSY')
  }

  async #after({ method }: StoreCall, answer: unknown, { after, latencyMs }: FaultRates): Promise<void> {
    const { random } = this.#world
    await this.process.alive()
    if (latencyMs > 0 && random() < 0.3) await this.process.delay(random() * latencyMs)
    await this.process.alive()
    if (random() < after) throw storeFault()
    if (method === 'claim') this.#deliver(answer)
    if (method === 'settle' && typeof answer === 'object' && answer !== null && 'claimed' in answer) this.#deliver(answer.claimed)
  }

  #deliver(claimed: unknown): void {
    const { jobs } = claimed as { readonly jobs: readonly { readonly id: string; readonly token: number }[] }
    for (const { id, token } of jobs) this.#delivered.set(id, [...(this.#delivered.get(id) ?? []), token])
  }

  #hinted(hint: Hint, pass: (hint: Hint) => void): void {
    const { hints } = this.#plan
    if (this.process.isDead || hints === 'dropped' || this.#world.areHintsDropped) return
    const later = (ms: number): void => void this.process.delay(ms).then(() => pass(hint))
    if (this.process.isFrozen) return later(0)
    if (hints !== 'late') pass(hint)
    if (hints === 'twice') pass(hint)
    if (hints === 'late') later(this.#world.random() * 300)
  }

  // ── between the runner and its handlers

  #begun(args: PlannedArgs, job: JobContext): Act {
    const { ledger } = this.#world
    ledger.counts.starts++
    const tokens = this.#delivered.get(job.id) ?? []
    const token = tokens.pop()
    if (token === undefined) ledger.violated('JOB-6', `${this.name} starts job ${job.id} without a claim of its own`)
    this.#delivered.set(job.id, tokens)
    if (!isDeepStrictEqual(args.payload, this.#world.payloadOf(args.number)))
      ledger.violated('JOB-17', `job ${job.id} has other args than it was given`)
    if (!this.#plan.kinds.some(each => each === job.kind))
      ledger.violated('JOB-19', `${this.name} runs job ${job.id} of kind ${job.kind}`)
    if (token !== undefined) this.#checkFence(job, token)
    this.#checkOthers(job, token)
    this.#runs.set(job, { id: job.id, queue: job.queue, isSuspect: job.crashes >= times.crashLimit - 1 })

    const run = ledger.runs.get(args.number) ?? 0
    ledger.runs.set(args.number, run + 1)
    this.#world.started(job.id)
    const act = args.acts[run] ?? { do: 'return', ms: 0 }
    if (token !== undefined) ledger.acts.set(token, act)
    return act
  }

  /** JOB-5: nobody has completed it, also while this process was frozen. */
  #checkFence({ id }: JobContext, token: number): void {
    const { known } = this.#world.witness
    const job = known.byId.get(id)
    if (job?.state === 'completed')
      this.#world.ledger.violated('JOB-5', `${this.name} starts job ${id} (token ${token}), which is completed`)
  }

  #checkOthers({ queue, crashes }: JobContext, token: number | undefined): void {
    const { ledger } = this.#world
    const runs = [...this.#runs.values()]
    if (crashes >= times.crashLimit - 1 && runs.some(({ isSuspect }) => isSuspect))
      ledger.violated('JOB-7', `${this.name} runs two suspects at once`)
    const inQueue = runs.filter(each => each.queue === queue).length + 1
    const view = this.runner.queues.find(({ name }) => name === queue)
    if (view === undefined || this.#resized.has(queue)) return
    if (inQueue > view.concurrency)
      ledger.violated('ROW-G9', `${this.name} runs ${inQueue} jobs of ${queue}, with a concurrency of ${view.concurrency}`)
    if (view.concurrency > 1 || crashes > 0 || token === undefined) return
    const last = this.#lastToken.get(queue) ?? 0
    if (token < last) ledger.violated('JOB-12', `${this.name} runs the jobs of ${queue} out of their order`)
    this.#lastToken.set(queue, token)
  }

  #listen(): void {
    const { events } = this.runner
    events.on('stuck', ({ id }) => {
      // Its place is given to others; what it still does counts for nothing
      for (const [job, run] of this.#runs) if (run.id === id) this.#runs.delete(job)
    })
    events.on('leaseLost', ({ id }) => {
      for (const [job, run] of this.#runs) if (run.id === id) this.#runs.delete(job)
    })
    if (!this.#plan.noisy) return
    const shout = (): never => {
      throw new Error('a listener that throws')
    }
    for (const name of ['started', 'completed', 'failed', 'enqueued', 'storeError', 'idle'] as const) events.on(name, shout)
  }

  /** JOB-9: within its grace, and with nothing left behind. */
  #stopped(stopping: Stopping): void {
    if (stopping.isOver || this.process.isDead) return
    stopping.isOver = true
    const { ledger, clock, witness } = this.#world
    const took = clock.now() - stopping.askedAt
    const wasHeldUp =
      this.process.frozenUntil > stopping.askedAt || this.#world.plan.faults.latencyMs > 0 || this.#world.hasFaults
    const allowed = stopping.graceMs + 2 * times.abandonMs
    if (took > allowed && !wasHeldUp)
      ledger.violated('JOB-9', `${this.name} stopped after ${took} ms, where ${allowed} are allowed`)
    const held = [...this.ids].flatMap(id => witness.known.heldBy(id))
    if (held.length > 0 && !this.#world.hasFaults)
      ledger.violated('JOB-9', `${this.name} has stopped, and holds ${held.map(({ id }) => id).join(', ')}`)
    if (this.process.timers > 0) ledger.violated('INV-21', `${this.process.timers} timers are left of ${this.name}`)
  }
}
