/** WL-1 and WL-2 by hand and under a supervisor, with whichever core is given. */
import type * as genstageCore from '@genstage/core'
import type { Run } from '../harness/measure-rate.ts'
import { Countdown } from '../core/countdown.ts'
import { doubleAll, integers, multiplesOfThree } from '../core/events.ts'
import { Tally } from '../core/tally.ts'
import type { VariantId } from './variants.ts'

export type Core = typeof genstageCore

/** The workloads that are compared. */
export const compared = ['WL-1', 'WL-2'] as const

export type ComparedId = (typeof compared)[number]

interface SinkArgument {
  readonly tally: Tally
  readonly countdown: Countdown
}

const demand = { maxDemand: 1_000, minDemand: 500 }

const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

/** Pipelines that wait while others run. Held here: one that nobody can reach is collected, and the compiled code goes with it. */
const idle: unknown[] = []

/** The runs of one variant. With them waits an idle pipeline, as there is one in any process that lives on. */
export function pipelines(core: Core, variant: VariantId): Readonly<Record<ComparedId, Run>> {
  const { child, consumer, createRuntime, producer, producerConsumer, producerName, start, supervisor } = core
  const runtime = createRuntime({ logger })
  if (variant === 'listened') {
    const handled = { events: 0, batches: 0, ms: 0 }
    runtime.telemetry.on('handled', ({ count, durationMs }) => {
      handled.batches++
      handled.events += count
      handled.ms += durationMs
    })
  }

  const Numbers = producer((count: number) => {
    let next = 0
    return {
      handleDemand(asked) {
        const length = Math.min(asked, count - next)
        next += length
        return integers(next - length, length)
      },
    }
  })
  const Double = producerConsumer(() => ({ handleEvents: doubleAll }))
  const MultiplesOfThree = producerConsumer(() => ({ handleEvents: multiplesOfThree }))
  const Sum = consumer(({ tally, countdown }: SinkArgument) => ({
    handleEvents(events: readonly number[]) {
      tally.addAll(events)
      countdown.advance(events.length)
    },
  }))

  /** Starts a whole pipeline; what it answers stops it. */
  interface Start {
    (id: ComparedId, count: number, arg: SinkArgument, name: string): () => Promise<unknown>
  }

  const byHand: Start = (id, count, arg) => {
    const source = start(Numbers, { arg: count, runtime })
    if (id === 'WL-1') start(Sum, { arg, runtime, subscribeTo: [{ to: source, ...demand }] })
    else {
      const doubled = start(Double, { runtime, subscribeTo: [{ to: source, ...demand }] })
      const kept = start(MultiplesOfThree, { runtime, subscribeTo: [{ to: doubled, ...demand }] })
      start(Sum, { arg, runtime, subscribeTo: [{ to: kept, ...demand }] })
    }
    return () => source.stop()
  }

  const underSupervisor: Start = (id, count, arg, name) => {
    const [source, doubled, kept] = ['source', 'doubled', 'kept'].map(each => producerName<number>(`${name} ${each}`))
    if (source === undefined || doubled === undefined || kept === undefined) throw new Error('three names make three names')
    const last = id === 'WL-1' ? source : kept
    const middle = [
      child(Double, { id: 'double', name: doubled, subscribeTo: [{ to: source, ...demand }] }),
      child(MultiplesOfThree, { id: 'keep', name: kept, subscribeTo: [{ to: doubled, ...demand }] }),
    ]
    const tree = supervisor(
      [
        child(Numbers, { id: 'source', name: source, arg: count }),
        ...(id === 'WL-1' ? [] : middle),
        child(Sum, { id: 'sink', arg, subscribeTo: [{ to: last, ...demand }] }),
      ],
      { strategy: 'rest_for_one' },
    )
    const ref = start(tree, { runtime })
    return () => ref.stop()
  }

  const begin = variant === 'supervised' ? underSupervisor : byHand
  idle.push(begin('WL-2', 0, { tally: new Tally(), countdown: new Countdown(1) }, 'idle'))

  const run =
    (id: ComparedId, arriving: (count: number) => number): Run =>
    async count => {
      const arg = { tally: new Tally(), countdown: new Countdown(arriving(count)) }
      const stop = begin(id, count, arg, id)
      await arg.countdown.over
      await stop()
      return arg.tally.sum
    }
  return { 'WL-1': run('WL-1', count => count), 'WL-2': run('WL-2', count => count / 3) }
}
