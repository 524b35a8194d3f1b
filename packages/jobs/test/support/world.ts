import { type LogLine, Simulation } from '@genstage/testing'
import { expect } from 'vitest'
import type { JobEvents } from '../../src/events.ts'
import {
  type ClientOptions,
  type JobClient,
  type JobRunner,
  JobsError,
  type JobsErrorCode,
  type JobState,
  type Kind,
  memoryStore,
  openClient,
  type RunnerOptions,
  type Store,
  startRunner,
} from '../../src/index.ts'
import { hookedStore, type StoreCall, type StoreHooks } from './hooked-store.ts'

/** One event of a runner or client, as it was told. */
export interface Told {
  readonly name: keyof JobEvents
  readonly id: string | undefined
  readonly at: number
  readonly event: object
}

const names: readonly (keyof JobEvents)[] = [
  'enqueued',
  'started',
  'completed',
  'failed',
  'discarded',
  'cancelled',
  'snoozed',
  'released',
  'progress',
  'rescued',
  'leaseLost',
  'stuck',
  'blocked',
  'storeError',
  'storeRecovered',
  'queueAdded',
  'queueRemoved',
  'idle',
  'pruned',
]

/** Runners and clients on one store, in virtual time. Everything they tell is kept. */
export class World {
  readonly simulation: Simulation
  /** The store itself. */
  readonly inner: Store = memoryStore()
  /** What comes between the runners and the store. */
  readonly hooks: StoreHooks = {}
  readonly store: Store
  readonly events: Told[] = []
  readonly #users: JobClient[] = []

  constructor(seed: number = 1) {
    this.simulation = new Simulation({ seed })
    this.store = hookedStore(this.inner, this.hooks)
  }

  get now(): number {
    return this.simulation.clock.now()
  }

  get log(): readonly LogLine[] {
    return this.simulation.log
  }

  /** A runner of this world, once it is ready. It leaves signals and stray errors of the test process alone. */
  async runner(
    kinds: readonly Kind[],
    queues: RunnerOptions['queues'] = { default: 10 },
    options: Omit<Partial<RunnerOptions>, 'kinds' | 'queues'> = {},
  ): Promise<JobRunner> {
    const runner = this.starting(kinds, queues, options)
    await this.settled(runner.ready)
    return runner
  }

  /** The same, as soon as it is made. */
  starting(
    kinds: readonly Kind[],
    queues: RunnerOptions['queues'] = { default: 10 },
    options: Omit<Partial<RunnerOptions>, 'kinds' | 'queues'> = {},
  ): JobRunner {
    const { store, simulation } = this
    const own = { store, kinds, queues, runtime: simulation.runtime }
    return this.#watched(startRunner({ signals: false, strayErrors: 'ignore', ...own, ...options }))
  }

  client(options: Partial<ClientOptions> = {}): JobClient {
    return this.#watched(openClient({ store: this.store, runtime: this.simulation.runtime, ...options }))
  }

  /** Waits in virtual time for a promise. Throws if nothing that can happen within `ms` settles it. */
  async settled<T>(promise: Promise<T>, ms: number = 600_000): Promise<T> {
    let isSettled = false
    const done = (): void => void (isSettled = true)
    promise.then(done, done)
    const { simulation } = this
    const until = this.now + ms
    await simulation.settle()
    while (!isSettled) {
      const next = simulation.clock.nextAt
      if (next === undefined || next > until) throw new Error(`not settled after ${ms} ms`)
      simulation.clock.fireNext()
      await simulation.settle()
    }
    return promise
  }

  /** Lets everything happen that can within so many milliseconds. */
  async advance(ms: number): Promise<void> {
    await this.simulation.advance(ms)
  }

  settle(): Promise<void> {
    return this.simulation.settle()
  }

  delay(ms: number): Promise<void> {
    return this.simulation.delay(ms)
  }

  /** From now on this call of the store fails, and does nothing. Answers how to mend it. */
  fail(name: StoreCall, code: JobsErrorCode = 'STORE_UNAVAILABLE'): () => void {
    Object.assign(this.hooks, { [name]: () => Promise.reject(new JobsError(code, 'a planned fault')) })
    return () => void delete this.hooks[name]
  }

  /** Does something before every such call of the store. */
  before(name: StoreCall, work: () => void | Promise<void>): void {
    Object.assign(this.hooks, {
      [name]: async (call: () => Promise<unknown>) => {
        await work()
        return call()
      },
    })
  }

  /** The lines of the log that carry a code. */
  lines(code: string): readonly LogLine[] {
    return this.log.filter(({ fields }) => fields['code'] === code)
  }

  /** The events of those names, in their order. */
  told(...wanted: (keyof JobEvents)[]): readonly Told[] {
    return this.events.filter(({ name }) => wanted.includes(name))
  }

  /** The state of a job, asked of the store itself. */
  async state(id: string): Promise<JobState | undefined> {
    return (await this.inner.find([id]))[0]?.state
  }

  /** Stops all runners and closes all clients: nothing is left behind (INV-21). */
  async close(): Promise<void> {
    await Promise.all(this.#users.map(user => this.settled(user.close())))
    await this.settle()
    expect(this.simulation.timers).toBe(0)
    expect(this.simulation.uncaught).toEqual([])
  }

  #watched<T extends JobClient>(user: T): T {
    for (const name of names)
      user.events.on(name, (event: object) => {
        this.events.push({ name, at: this.now, id: 'id' in event && typeof event.id === 'string' ? event.id : undefined, event })
      })
    this.#users.push(user)
    return user
  }
}
