/** A simulated world in which a test starts stages, and that has to be in order when the test is over. */
import type { ConsumerRef, DiscardReason, ProducerRef, Runtime, SubscriptionOptions } from '@genstage/core'
import { producer, start } from '@genstage/core'
import { probeConsumer, probeProducer, Simulation } from '@genstage/testing'
import { expect, onTestFinished } from 'vitest'

export interface World {
  readonly simulation: Simulation
  readonly runtime: Runtime
  /** What was reported as given up. */
  readonly lost: [reason: DiscardReason, events: readonly unknown[]][]
  /** Stops everything, and looks whether anything is left. */
  end(): Promise<void>
}

/** Expects at its end: no stage, no timer, no failure that nobody watched. */
export function makeWorld(seed = 1): World {
  const simulation = new Simulation({ seed })
  const { runtime } = simulation
  const lost: World['lost'] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  async function end(): Promise<void> {
    const stopped = runtime.stop({ timeout: 0 })
    await simulation.run()
    await stopped
    expect(runtime.topology().stages).toEqual([])
    expect(simulation.timers).toBe(0)
    expect(simulation.uncaught).toEqual([])
  }
  return { simulation, runtime, lost, end }
}

/** The same for one test, ended when it is over. */
export function world(seed = 1): World {
  const made = makeWorld(seed)
  onTestFinished(() => made.end())
  return made
}

/** A source in the hands of the test: `ref.cast(events)` emits them. */
export function probeSource<T>(runtime: Runtime) {
  const probe = probeProducer<T>()
  return { ...probe, demands: probe.demands, ref: start(probe.definition, { runtime }) }
}

/** A source of 0, 1, 2 … without end, that writes down what it was asked for. */
export function endlessSource(runtime: Runtime) {
  const demands: number[] = []
  let next = 0
  const Source = producer(() => ({
    handleDemand(demand) {
      demands.push(demand)
      return Array.from({ length: demand }, () => next++)
    },
  }))
  return { demands, taken: () => next, ref: start(Source, { runtime }) }
}

/** A consumer that keeps what it gets, and outlives its producer. */
export function probeSink<T>(runtime: Runtime, to: ProducerRef<T>, options: SubscriptionOptions<T> & { manual?: boolean } = {}) {
  const { manual, ...rest } = options
  const probe = probeConsumer<T>({ mode: manual === true ? 'manual' : 'automatic' })
  const ref: ConsumerRef<T> = start(probe.definition, { runtime, subscribeTo: [{ to, cancel: 'temporary', ...rest }] })
  return { probe, ref, events: probe.events, batches: probe.batches, ask: (n: number) => probe.subscriptions[0]?.ask(n) }
}

/** A promise, and how to settle it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

/** A function for each event, whose calls wait until the test says how they end. */
export class Calls<In = number, Answer = unknown> {
  readonly calls: {
    readonly event: In
    readonly signal: AbortSignal
    resolve(answer: Answer): void
    reject(error: unknown): void
  }[] = []
  running = 0
  most = 0

  readonly fn = (event: In, { signal }: { readonly signal: AbortSignal }): Promise<Answer> => {
    const { promise, resolve, reject } = deferred<Answer>()
    this.calls.push({ event, signal, resolve, reject })
    this.most = Math.max(this.most, ++this.running)
    const over = (): void => void this.running--
    promise.then(over, over)
    return promise
  }

  get events(): readonly In[] {
    return this.calls.map(({ event }) => event)
  }
}

export const boom = new Error('boom')

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_each, index) => from + index)
