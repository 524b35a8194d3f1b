import { producerConsumer, start } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RawConsumer, RawProducer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { settle } from './support/turns.ts'

/** What happens: the consumer below asks, or the producer above sends what it was asked for on one of two subscriptions, up to an amount. */
type Step = { readonly do: 'ask'; readonly n: number } | { readonly do: 'send'; readonly on: 0 | 1; readonly upTo: number }

interface Plan {
  readonly maxDemand: number
  readonly minDemand: number
  readonly steps: readonly Step[]
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('ask' as const), n: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    do: fc.constant('send' as const),
    on: fc.constantFrom(0 as const, 1 as const),
    upTo: fc.integer({ min: 1, max: 8 }),
  }),
)

const plan: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 8 }).chain(maxDemand =>
  fc.record({
    maxDemand: fc.constant(maxDemand),
    minDemand: fc.integer({ min: 0, max: maxDemand - 1 }),
    steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  }),
)

/** Becomes none, one or two events. */
function outcomeOf(event: number): readonly number[] {
  return Array.from({ length: event % 3 }, () => event)
}

/** Runs a plan, with a look at every step. */
async function run({ maxDemand, minDemand, steps }: Plan): Promise<void> {
  const { runtime } = recordedRuntime()
  /** Asked for below, and made by the stage. The consumer never leaves, so the difference is the demand that is left. */
  let [wanted, made] = [0, 0]
  /** Asked for and not sent yet, by subscription. */
  const open = new Map<string, number>()
  const firstOfMessage = new Set<number>()
  const [sent, handled]: [number[], number[]] = [[], []]
  const unwanted: (readonly number[])[] = []
  let next = 0

  const above = new RawProducer(runtime, message => {
    if (message.type === 'subscribe') open.set(message.subscription, 0)
    if (message.type === 'ask') open.set(message.subscription, (open.get(message.subscription) ?? 0) + message.demand)
  })
  const Stage = producerConsumer.of<number, number>()(() => ({
    handleEvents(events) {
      // Within a message it goes on, whatever is wanted (PC3)
      if (wanted <= made && firstOfMessage.has(events[0] ?? -1)) unwanted.push(events)
      const outcome = events.flatMap(outcomeOf)
      handled.push(...events)
      made += outcome.length
      return outcome
    },
  }))
  const subscribeTo = [0, 1].map(() => ({ to: above.ref as never, maxDemand, minDemand }))
  const stage = start(Stage, { runtime, subscribeTo })
  const peer = new RawConsumer(runtime)
  peer.subscribe(stage)
  await settle(runtime)

  for (const each of steps) {
    if (each.do === 'ask') {
      wanted += each.n
      peer.ask(stage, each.n)
    } else {
      const subscription = [...open.keys()][each.on] ?? ''
      const count = Math.min(each.upTo, open.get(subscription) ?? 0)
      const events = Array.from({ length: count }, () => next++)
      open.set(subscription, (open.get(subscription) ?? 0) - count)
      if (count > 0) firstOfMessage.add(events[0] ?? -1)
      sent.push(...events)
      above.emit(stage as never, subscription, events)
    }
    await settle(runtime)
    for (const demand of open.values()) expect(demand).toBeLessThanOrEqual(maxDemand)
    if (wanted > made) expect(handled).toEqual(sent)
  }
  expect(unwanted).toEqual([])
  expect(handled).toEqual(sent.slice(0, handled.length))
  expect(peer.items).toEqual(handled.flatMap(outcomeOf).slice(0, wanted))
}

describe('a producer-consumer, whatever happens above and below', () => {
  it('U8 GS-PC5 GS-PC12 begins no message while nothing is wanted, never asks above maxDemand, and keeps the order', async () => {
    await fc.assert(fc.asyncProperty(plan, run), { numRuns: 200, seed: 8 })
  })
})
