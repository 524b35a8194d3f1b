import { hostname } from 'node:os'
import process from 'node:process'
import { newId } from '../ids.ts'
import type { NewRunner, RunnerFigures } from '../store.ts'
import { clearTimer } from '../timers.ts'
import type { Deadline } from './deadline.ts'
import type { EngineContext } from './engine-context.ts'
import { Lease, type LeaseOwner } from './lease.ts'

/** The runner as its membership sees it. */
export interface Member extends LeaseOwner {
  readonly isStopping: boolean
  /** It is registered again, after it was taken for dead. */
  rejoined(): void
}

/** The place of a runner among those of its store: its id, its registration, its lease. */
export class Membership {
  readonly #engine: EngineContext
  readonly #member: Member
  #id: string
  #lease: Lease
  #isRegistered = false
  #isOver = false
  /** A registration under way, or to be tried again, after the runner was taken for dead. */
  #rejoining: Promise<void> | undefined
  #timer: Disposable | undefined

  constructor(engine: EngineContext, member: Member) {
    this.#engine = engine
    this.#member = member
    this.#id = newId(engine.runtime)
    this.#lease = new Lease(engine, member)
  }

  get id(): string {
    return this.#id
  }

  get lease(): Lease {
    return this.#lease
  }

  /** Registers the runner. Rejects as the store does. */
  async join(): Promise<void> {
    const { store, settings, clock } = this.#engine
    const askedAt = clock.now()
    await store.register(this.#registration(), settings.leaseMs)
    if (this.#isOver) return // the answer comes too late; nobody renews this lease
    this.#isRegistered = true
    this.#lease.begin(askedAt)
  }

  /** Registers it under a new id, as often as it takes. */
  rejoin(): void {
    void this.#lease.end()
    this.#id = newId(this.#engine.runtime)
    this.#lease = new Lease(this.#engine, this.#member)
    this.#rejoining = this.#tryToRejoin()
  }

  /** From now on a registration that comes late counts for nothing. */
  close(): void {
    this.#isOver = true
  }

  /** Takes the runner off the list, while there is time. Answers whether there was. Rejects as the store does. */
  async leave(deadline: Deadline): Promise<boolean> {
    clearTimer(this.#timer)
    await deadline.wait(Promise.all([this.#rejoining, this.#lease.end()]))
    return deadline.wait(this.#isRegistered ? this.#engine.store.unregister(this.#id) : Promise.resolve())
  }

  async #tryToRejoin(): Promise<void> {
    const { store, settings, storeHealth, clock } = this.#engine
    const askedAt = clock.now()
    try {
      await store.register(this.#registration(), settings.leaseMs)
      storeHealth.worked('register')
      if (this.#member.isStopping) return
      this.#lease.begin(askedAt)
      this.#member.rejoined()
    } catch (error) {
      storeHealth.failed('register', error)
      if (this.#member.isStopping) return
      this.#timer = clock.setTimer(storeHealth.delayMs('register'), () => {
        this.#rejoining = this.#tryToRejoin()
      })
    }
  }

  #registration(): NewRunner {
    const { metadata, name } = this.#engine.settings
    const { queues }: RunnerFigures = this.#member.figures
    return {
      id: this.#id,
      host: hostname(),
      pid: process.pid,
      queues,
      ...(name === undefined ? {} : { name }),
      ...(metadata === undefined ? {} : { metadata }),
    }
  }
}
