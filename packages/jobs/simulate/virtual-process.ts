import { type Clock, createRuntime, type Logger, type Runtime } from '@genstage/core'
import type { VirtualClock } from '@genstage/testing'
import { disposeSymbol } from '../src/timers.ts'

/** Numbers from 0 up to 1. */
export type Random = () => number

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * A process of its own on a machine that it shares: its clock, its stages, its handlers can be frozen for a while (SIGSTOP), or be no
 * more (SIGKILL). Whatever it does next then waits, or never happens.
 */
export class VirtualProcess {
  readonly name: string
  readonly runtime: Runtime
  /** Failures that nobody watched. */
  readonly uncaught: unknown[] = []
  isDead = false
  /** When it was killed. */
  diedAt = Infinity
  readonly #world: VirtualClock
  readonly #timers = new Set<Disposable>()
  readonly #work: (() => void)[] = []
  #frozenUntil = -Infinity
  /** What came due while it was frozen. */
  #held: (() => void)[] = []
  #wallOffset = 0
  #delays = 0

  constructor(name: string, world: VirtualClock, random: Random) {
    this.name = name
    this.#world = world
    this.runtime = createRuntime({
      clock: this.#clock(),
      scheduler: {
        schedule: work => void this.#work.push(work),
        yieldTo: work => void this.#work.push(work),
        choose: choices => Math.floor(random() * choices.length),
      },
      random,
      logger: silent,
      onUncaught: error => this.uncaught.push(error),
    })
    // Nothing here is worth keeping the real process alive
    Object.defineProperty(this.runtime, 'keepAlive', { value: () => ({ [disposeSymbol]: () => {} }) })
  }

  get isFrozen(): boolean {
    return this.#world.now() < this.#frozenUntil
  }

  /** Until when it was frozen last. */
  get frozenUntil(): number {
    return this.#frozenUntil
  }

  get hasWork(): boolean {
    return this.#work.length > 0 && (this.isDead || !this.isFrozen)
  }

  /** How many timers are set, besides those that handlers wait for. */
  get timers(): number {
    return this.#timers.size - this.#delays
  }

  /** One message of one stage. */
  step(): void {
    this.#work.shift()?.()
  }

  /** Ends it: no timer fires, no call is answered, and its stages go down without anybody noticing. */
  kill(): void {
    if (!this.isDead) this.diedAt = this.#world.now()
    this.isDead = true
    for (const timer of this.#timers) timer[disposeSymbol]()
    this.#timers.clear()
    this.#held = []
    void this.runtime.stop().catch(() => {})
  }

  freeze(ms: number): void {
    if (this.isDead || this.isFrozen) return
    this.#frozenUntil = this.#world.now() + ms
    this.#world.setTimer(ms, () => {
      const held = this.#held
      this.#held = []
      for (const callback of held) callback()
    })
  }

  jump(ms: number): void {
    this.#wallOffset += ms
  }

  /** Resolves at once; when the process goes on, if it is frozen; never, if it is dead. */
  async alive(): Promise<void> {
    if (this.isDead) return new Promise(() => {})
    if (!this.isFrozen) return
    await new Promise<void>(resolve => this.#held.push(resolve))
    return this.alive()
  }

  /** Resolves after so many milliseconds of this process. */
  delay(ms: number): Promise<void> {
    this.#delays++
    return new Promise(resolve => {
      this.runtime.clock.setTimer(ms, () => {
        this.#delays--
        resolve()
      })
    })
  }

  #clock(): Clock {
    return {
      now: () => this.#world.now(),
      wallTime: () => this.#world.wallTime() + this.#wallOffset,
      setTimer: (ms, callback) => {
        if (this.isDead) return { [disposeSymbol]: () => {} }
        let isOff = false
        const timer = this.#world.setTimer(ms, () => {
          this.#timers.delete(timer)
          const ring = (): void => {
            if (!isOff && !this.isDead) callback()
          }
          if (this.isFrozen) this.#held.push(ring)
          else ring()
        })
        this.#timers.add(timer)
        const dispose = (): void => {
          isOff = true
          this.#timers.delete(timer)
          timer[disposeSymbol]()
        }
        return { [disposeSymbol]: dispose }
      },
    }
  }
}
