import { seededRandom, VirtualClock } from '@genstage/testing'
import { type JobClient, memoryStore, openClient, type Store } from '../src/index.ts'
import { Ledger } from './ledger.ts'
import type { FaultRates, JobPlan, JobsPlan, RunnerPlan } from './plan.ts'
import { enqueueOptions, plannedKinds } from './planned-job.ts'
import { SimulatedRunner } from './simulated-runner.ts'
import { VirtualProcess } from './virtual-process.ts'
import { Witness } from './witness.ts'

/** Bugs that a test plants. */
export interface Spoilers {
  /** Makes the store over that all share. */
  readonly shared?: (store: Store) => Store
  /** Makes the store of one runner over. */
  readonly own?: (store: Store, process: VirtualProcess, world: World) => Store
}

/** More steps without any time passing mean that it never becomes quiet. */
const mostSteps = 20_000

/** One store, the processes that work on it, and the time they share. */
export class World {
  readonly plan: JobsPlan
  readonly clock = new VirtualClock()
  readonly random: () => number
  readonly ledger = new Ledger()
  readonly witness: Witness
  readonly operator: VirtualProcess
  readonly client: JobClient
  readonly runners: SimulatedRunner[] = []
  faults: FaultRates
  areHintsDropped = false
  /** Everything has been stopped. */
  isConcluded = false
  /** Called for every handler that begins, with the id of its job. */
  onStart: ((id: string) => void) | undefined
  readonly #spoilers: Spoilers
  readonly #payloads = new Map<number, unknown>()
  /** Ids of all jobs that were to be stored, in that order. */
  readonly ids: string[] = []
  #processes = 0
  #wallOffset = 0

  constructor(plan: JobsPlan, seed: number, spoilers: Spoilers = {}) {
    this.plan = plan
    this.random = seededRandom(seed)
    this.faults = plan.faults
    this.#spoilers = spoilers
    const store = memoryStore()
    this.witness = new Witness(spoilers.shared?.(store) ?? store, this.ledger)
    const clock = { now: () => this.clock.now(), wallTime: () => this.storeTime, setTimer: refuse }
    void this.witness.store.open({ clock, logger: { debug() {}, info() {}, warn() {}, error() {} } })
    this.operator = new VirtualProcess('operator', this.clock, this.random)
    this.client = openClient({
      store: { ...this.witness.store, open: async () => {}, close: async () => {} },
      runtime: this.operator.runtime,
      kinds: plannedKinds(['fixed', 'growing', 'linear'], {
        begin: refuse,
        delay: refuse,
        enqueueMore: refuse,
        crash: refuse,
        end: refuse,
      }),
    })
    for (const each of plan.runners) this.start(each)
  }

  get hasFaults(): boolean {
    return this.plan.faults.before > 0 || this.plan.faults.after > 0
  }

  start(plan: RunnerPlan): SimulatedRunner {
    const name = `process ${++this.#processes}`
    const runner = new SimulatedRunner(name, plan, this, (store, process) => this.#spoilers.own?.(store, process, this) ?? store)
    this.runners.push(runner)
    return runner
  }

  kill(runner: SimulatedRunner): void {
    if (runner.process.isDead) return
    this.ledger.counts.kills++
    runner.process.kill()
  }

  /** The date of the store. */
  get storeTime(): number {
    return this.clock.wallTime() + this.#wallOffset
  }

  jumpStore(ms: number): void {
    this.#wallOffset += ms
  }

  payloadOf(number: number): unknown {
    return this.#payloads.get(number)
  }

  started(id: string): void {
    this.onStart?.(id)
  }

  /** Enqueues a planned job; a store that fails makes it one that was not acknowledged. */
  async enqueue(
    plan: JobPlan,
    client: JobClient = this.client,
    isLate: () => boolean = () => false,
  ): Promise<string | undefined> {
    const number = this.ledger.nextNumber()
    const payload = payloads[number % payloads.length]
    this.#payloads.set(number, payload)
    try {
      const { id } = await client.enqueue(plan.kind, { number, acts: plan.acts, payload }, enqueueOptions(plan))
      if (isLate()) return undefined
      this.ids.push(id)
      this.ledger.acknowledged.add(id)
      return id
    } catch {
      return undefined
    }
  }

  /** A handler enqueues. */
  async enqueueMore({ process }: SimulatedRunner, client: JobClient): Promise<void> {
    await this.enqueue(moreJob, client, () => process.isDead)
  }

  // ── time

  /** One step of one process; false if none has anything to do now. */
  step(): boolean {
    const ready = [this.operator, ...this.runners.map(({ process }) => process)].filter(({ hasWork }) => hasWork)
    const chosen = ready[ready.length > 1 ? Math.floor(this.random() * ready.length) : 0]
    chosen?.step()
    return chosen !== undefined
  }

  /** Takes steps until nothing can happen without time passing. */
  async settle(): Promise<void> {
    for (let steps = 0; ;) {
      await turn()
      if (!this.step()) return
      while (this.random() < 0.7 && this.step());
      if (++steps > mostSteps) throw new Error(`not quiet after ${mostSteps} steps`)
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.clock.now() + ms
    await this.settle()
    while (this.clock.nextAt !== undefined && this.clock.nextAt <= until) {
      this.clock.fireNext()
      await this.settle()
    }
    this.clock.advance(until - this.clock.now())
  }
}

/** Lets all promises settle that can. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function refuse(): never {
  throw new Error('not here')
}

const payloads: readonly unknown[] = [
  null,
  { deep: [{ er: 'ü\n' }], zero: 0, no: false },
  'text',
  [1, 2.5, -3e-7],
  JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'),
]

const moreJob: JobPlan = {
  kind: 'fixed',
  queue: 'red',
  priority: 0,
  delayMs: 0,
  maxAttempts: 2,
  timeoutMs: undefined,
  unique: undefined,
  acts: [{ do: 'return', ms: 10 }],
}
