import { createRuntime, type GenStageError, type Logger, type ProducerRef, type Runtime, start } from '@genstage/core'
import { claim, claimSame } from '../contract.ts'
import { type ProbeConsumer, probeConsumer } from '../probes.ts'
import { promiseTurns } from '../promise-turns.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Turns of the event loop after which nothing more is expected to happen. */
const quietTurns = 20

/** What a case of the adapter contract runs in: a runtime of its own on the real event loop, with deadlines. */
export class ContractWorld {
  readonly runtime: Runtime
  readonly uncaught: GenStageError[] = []
  readonly #timeoutMs: number

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.runtime = createRuntime({ logger: silent, onUncaught: error => this.uncaught.push(error) })
  }

  /** Waits until `condition` holds; throws when it never does. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const { clock } = this.runtime
    for (const since = clock.now(); !condition(); await promiseTurns())
      claim(clock.now() - since < this.#timeoutMs, `waited ${this.#timeoutMs} ms in vain until ${what}`)
  }

  /** What `promise` resolves with; throws when it does not settle in time. */
  async settled<T>(promise: Promise<T>, what: string): Promise<T> {
    let isSettled = false
    const note = (): void => {
      isSettled = true
    }
    promise.then(note, note)
    await this.until(() => isSettled, what)
    return promise
  }

  /** Lets everything happen that is going to happen at once. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < quietTurns; turns++) await promiseTurns()
  }

  /** A consumer that keeps what it gets, and outlives its producer. */
  probe(to: ProducerRef<unknown>, maxDemand: number = 10): ProbeConsumer<unknown> {
    const probe = probeConsumer<unknown>()
    this.subscribe(to, probe, maxDemand)
    return probe
  }

  subscribe(to: ProducerRef<unknown>, probe: ProbeConsumer<unknown>, maxDemand: number): void {
    start(probe.definition, { runtime: this.runtime, subscribeTo: [{ to, maxDemand, cancel: 'temporary' }] })
  }

  /** The end of every case: everything stops in time, and no failure was raised that nobody watched. */
  async conclude(): Promise<void> {
    await this.settled(this.runtime.stop({ timeout: 100 }), 'everything has stopped')
    await this.quiet()
    claimSame(
      this.uncaught.map(({ message }) => message),
      [],
      'failures that were raised, and watched by nobody',
    )
    claimSame(this.runtime.topology().stages.length, 0, 'stages left behind')
  }
}
