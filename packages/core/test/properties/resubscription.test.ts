import { consumer, type ConsumerRef, producer, producerName, type ProducerRef, start, type Subscription } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** What happens to a producer that comes and goes, and to a consumer that does not follow it. */
type Action =
  | { readonly type: 'begin' | 'cast' | 'replace' | 'cancel' }
  | { readonly type: 'fail'; readonly way: number }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'steps'; readonly count: number }

interface Plan {
  readonly seed: number
  readonly actions: readonly Action[]
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('begin' as const) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('cast' as const) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('fail' as const), way: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(1, 10, 20, 100) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('steps' as const), count: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('replace' as const) }) },
)
const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  actions: fc.array(action, { maxLength: 60, size: 'max' }),
})

const source = producerName<number>('source')
const resubscribe = { minDelayMs: 10, maxDelayMs: 40 }

/** One simulated run. What ends a producer is always a failure, so the consumer has no reason to end. */
async function run({ seed, actions }: Plan) {
  const simulation = new Simulation({ seed })
  const { runtime, clock } = simulation
  let emitted = 0
  const seen: number[] = []
  const lost: number[] = []
  runtime.telemetry.on('discarded', ({ events }) => lost.push(...(events as number[])))
  const Source = producer.of<number>()(() => ({
    handleDemand() {},
    handleCast(message: 'emit' | 'fail') {
      if (message === 'fail') throw new Error('boom')
      return [emitted++]
    },
  }))
  /** Beginnings and ends of lives, as the callbacks were told. */
  const told: string[] = []
  const Sink = consumer.of<number>()(() => ({
    handleSubscribe(from) {
      told.push(`up ${from.id}`)
    },
    handleCancel(_ended, from) {
      told.push(`down ${from.id}`)
    },
    handleEvents: events => void seen.push(...events),
  }))
  const sink = start(Sink, { runtime, name: 'sink' })
  let isCancelled = false
  let latest: Subscription = sink.subscribe({ to: source, cancel: 'permanent', resubscribe })

  function now(): ProducerRef<number> | undefined {
    return runtime.whereis(source)
  }

  function act(each: Action): void {
    const ref = now() as ReturnType<typeof startSource> | undefined
    if (each.type === 'begin' && ref === undefined) startSource()
    if (each.type === 'cast') ref?.cast('emit')
    if (each.type === 'fail' && each.way === 0) ref?.cast('fail')
    if (each.type === 'fail' && each.way === 1) void ref?.kill()
    if (each.type === 'fail' && each.way === 2) void ref?.stop({ type: 'other', value: 'lost' })
    if (each.type === 'replace' && !isCancelled) latest = sink.subscribe({ to: source, replaces: latest, resubscribe })
    if (each.type === 'cancel') {
      // By the handle that `subscribe` gave, however often it has been made anew
      isCancelled = true
      latest.cancel('shutdown')
    }
  }

  function startSource() {
    const ref = start(Source, { runtime, name: source })
    ref.monitor(() => {})
    return ref
  }

  for (const each of actions) {
    if (each.type === 'steps') {
      for (let count = 0; count < each.count; count++) simulation.step()
      await simulation.flush()
    } else if (each.type === 'pass') await simulation.advance(each.ms)
    else act(each)
  }
  await simulation.settle()
  const wasAlive = (runtime.whereis('sink') as ConsumerRef<number> | undefined) === sink
  // Whatever has happened: when there is a producer at last, there is one subscription to it
  if (now() === undefined) startSource()
  await simulation.advance(1_000)
  const edges = runtime.topology().edges.map(edge => edge.subscription)
  const stopped = runtime.stop()
  await simulation.run()
  await stopped
  return {
    isCancelled,
    wasAlive,
    edges,
    told,
    seen,
    lost,
    emitted,
    pending: clock.pending,
    uncaught: simulation.uncaught,
  }
}

describe('a subscription with resubscribe', () => {
  it('X22 INV-6 INV-13 INV-21 outlives whatever failures, and is one at any time', { timeout: 60_000 }, async () => {
    let lives = 0
    await fc.assert(
      fc.asyncProperty(plans, async plan => {
        const result = await run(plan)
        lives += result.told.filter(each => each.startsWith('up')).length
        expect(result.pending).toBe(0)
        expect(result.uncaught).toEqual([])
        // Each life begins once and ends once at most
        expect(new Set(result.told).size).toBe(result.told.length)
        // A permanent one that was cancelled ends the consumer; nothing else does
        expect(result.wasAlive || result.isCancelled).toBe(true)
        expect(result.edges).toHaveLength(result.isCancelled ? 0 : 1)
        // At most once, in order, and nothing is lost unseen
        expect(result.seen).toEqual([...new Set(result.seen)].toSorted((a, b) => a - b))
        const known = [...result.seen, ...result.lost].toSorted((a, b) => a - b)
        expect(known).toEqual(Array.from({ length: result.emitted }, (_, number) => number))
      }),
      { numRuns: 1_000 },
    )
    expect(lives).toBeGreaterThan(1_000)
  })
})
