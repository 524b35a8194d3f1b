/**
 * The stages that count words, and how they are joined:
 *
 *     reader ─► splitters ─► counters ─► report
 *
 * The reader makes texts, as many as are asked for. Each text goes to the splitter that wants it most (demand dispatcher), each
 * word to the one counter that keeps it (partition dispatcher). So no two counters have a word in common, and the
 * report only puts four short tables together. A stage that falls behind asks for less, and all before it slow down.
 */
import { consumer, fromIterable, isGraceful, partitionDispatcher, producerConsumer, start } from '@genstage/core'
import type { Runtime, Topology } from '@genstage/core'
import { merge, summarize } from './counts.ts'
import type { Counts } from './counts.ts'
import { countWords, hashOf, ownCopy } from './text.ts'
import type { WordCount } from './text.ts'

const splitterCount = 3
const counterCount = 4

/** Text in, pairs of a word and how often it occurred in that text out. */
const Splitter = producerConsumer((_: void, ctx) => ({
  handleEvents: (texts: readonly string[]) => [...countWords(texts)],
  // The reader has ended: end too, but not before the counters have got everything. An info keeps its place behind events.
  handleCancel(_ended, from) {
    if (from.role === 'producer') ctx.self.asyncInfo('end')
  },
  handleInfo(_message: 'end') {
    ctx.stop()
  },
}))

/** Adds up the words of its partition. When the last splitter has ended it passes on one event: the sum. */
const Counter = producerConsumer((top: number, ctx) => {
  const table = new Map<string, number>()
  let words = 0
  let splitters = 0
  return {
    handleSubscribe(from) {
      if (from.role === 'producer') splitters++
    },
    handleEvents(pairs: readonly WordCount[]) {
      for (const [word, count] of pairs) {
        const known = table.get(word)
        if (known === undefined) table.set(ownCopy(word), count)
        else table.set(word, known + count)
        words += count
      }
    },
    handleCancel(_ended, from) {
      if (from.role === 'consumer' || --splitters > 0) return []
      ctx.self.asyncInfo('end')
      return [summarize(table, top)]
    },
    handleInfo(_message: 'end') {
      ctx.stop()
    },
    handleCall(_request: 'words') {
      return { reply: words }
    },
  }
})

/** Puts the sums together. It is asked for the counts at the beginning and replies at the end. */
const Report = consumer((top: number, ctx) => {
  const shares: Counts[] = []
  const waiting: Array<(counts: Counts) => void> = []
  let counters = 0
  return {
    handleSubscribe() {
      counters++
    },
    handleEvents(events: readonly Counts[]) {
      shares.push(...events)
    },
    handleCall(_request: 'counts', reply: (counts: Counts) => void) {
      waiting.push(reply)
    },
    handleCancel({ reason }) {
      // After a failure the sum would lack a share; the subscription ends this stage, and with it the call.
      if (--counters > 0 || !isGraceful(reason)) return
      for (const reply of waiting) reply(merge(shares, top))
      ctx.stop()
    },
  }
})

export interface WordCounting {
  /** The stages and their subscriptions, before the first event. */
  readonly topology: Topology
  /** Resolves at the end, rejects if a stage failed. */
  readonly counts: Promise<Counts>
  /** How many words have been counted by now. */
  wordsByNow(): Promise<number>
}

/** Starts the stages, joins them, and lets the events flow. To end early, end the texts: the end flows down behind them. */
export async function startCounting(
  texts: () => AsyncIterable<string>,
  { top, runtime }: { readonly top: number; readonly runtime: Runtime },
): Promise<WordCounting> {
  // All are linked to the one that lives longest: a failure anywhere ends it, and it ends all others.
  const report = start(Report, { name: 'report', runtime, arg: top })
  // `accumulate` holds demand back until everybody has subscribed; else the first splitter would get the first texts alone.
  const reader = start(fromIterable(texts), { name: 'reader', runtime, link: report, demand: 'accumulate' })
  const splitters = numbers(splitterCount).map(n =>
    start(Splitter, {
      name: `splitter-${n}`,
      runtime,
      link: report,
      dispatcher: partitionDispatcher({ partitions: counterCount, hash: ([word]) => hashOf(word) % counterCount }),
    }),
  )
  const counters = numbers(counterCount).map(n => start(Counter, { name: `counter-${n}`, runtime, link: report, arg: top }))

  // `transient`: a stage with several sources outlives the graceful end of one and follows a failure.
  const subscriptions = [
    // Few and often: a text is large, and a splitter that hoards them leaves none to the others.
    ...splitters.map(splitter => splitter.subscribe({ to: reader, maxDemand: 2, cancel: 'transient' })),
    ...counters.flatMap((counter, partition) =>
      splitters.map(to => counter.subscribe({ to, partition, maxDemand: 2_000, cancel: 'transient' })),
    ),
    ...counters.map(to => report.subscribe({ to, cancel: 'transient' })),
  ]
  await Promise.all(subscriptions.map(subscription => subscription.accepted))

  const topology = runtime.topology()
  // Who reads `done` watches the stage: its failure arrives here, instead of as an uncaught error.
  const ended = Promise.all([report.call('counts', { timeout: Infinity }), report.done])
  reader.setDemandMode('forward')
  return {
    topology,
    counts: ended.then(([counts]) => counts),
    async wordsByNow() {
      const words = await Promise.all(counters.map(counter => counter.call('words')))
      return words.reduce((sum, each) => sum + each, 0)
    },
  }
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n)
}
