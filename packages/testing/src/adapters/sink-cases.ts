import { claim, claimSame, type ContractCase } from '../contract.ts'
import { producer, type ProducerRef, start } from '@genstage/core'
import { seededRandom } from '../seeded-random.ts'
import type { AdapterCapabilities, OpenSink, SinkAdapter } from './adapter.ts'
import { chunksOf, falsyEvents, numbers, thenable } from './contract-events.ts'
import { ContractWorld } from './contract-world.ts'

const seeds = 20

/** A producer in the hands of the suite: it emits what it is told, when that is asked for. */
type Tap = ReturnType<typeof openTap>

function openTap(world: ContractWorld) {
  const waiting: unknown[] = []
  let given = 0
  let open = 0
  const give = (): unknown[] => {
    const events = waiting.splice(0, open)
    open -= events.length
    given += events.length
    return events
  }
  const Tap = producer.of<unknown>()(() => ({
    handleDemand(demand) {
      open += demand
      return give()
    },
    handleCast: (events: readonly unknown[]) => {
      waiting.push(...events)
      return give()
    },
  }))
  const ref = start(Tap, { runtime: world.runtime })
  ref.monitor(() => {})
  return {
    ref: ref as ProducerRef<unknown>,
    push: (events: readonly unknown[]) => ref.cast(events),
    end: () => void ref.stop('normal', { drain: true }),
    fail: (error: Error) => void ref.stop({ type: 'error', error }),
    kill: () => void ref.kill(),
    given: () => given,
    hasConsumers: () => world.runtime.topology().edges.some(edge => edge.producer === ref.id),
  }
}

/** The cases that every sink has to pass. */
export function sinkCases(adapter: SinkAdapter, capabilities: AdapterCapabilities): readonly ContractCase[] {
  const { keepsIdentity = true, refusesUncloneable, lookAhead = 0, takesSignal = false, timeoutMs = 2_000 } = capabilities
  const carries = (event: unknown): boolean => capabilities.carries?.(event) ?? true

  /** One case: a tap and a sink of its own, in a world of its own. */
  function sinkCase(
    ids: string,
    name: string,
    body: (sink: OpenSink, tap: Tap, world: ContractWorld) => Promise<void>,
    maxDemand = 5,
  ): ContractCase {
    const run = async (): Promise<void> => {
      const world = new ContractWorld(timeoutMs)
      const tap = openTap(world)
      const sink = adapter.open(tap.ref, { runtime: world.runtime, maxDemand })
      sink.ref?.monitor(() => {})
      await body(sink, tap, world)
      await world.conclude()
    }
    return { ids: ids.split(' '), name: `${adapter.name}: ${name}`, run }
  }

  const received = (sink: OpenSink, world: ContractWorld, count: number): Promise<void> =>
    world.until(() => sink.received().length >= count, `${count} events have come out`)

  const cases = [
    sinkCase('INV-5 INV-6 INV-26', 'what goes in comes out, in order and once, however it is cut', async (_sink, _tap, world) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const random = seededRandom(seed)
        const events = numbers(Math.floor(random() * 60))
        const tap = openTap(world)
        const sink = adapter.open(tap.ref, { runtime: world.runtime, maxDemand: 1 + Math.floor(random() * 12) })
        for (const chunk of chunksOf(events, random)) {
          tap.push(chunk)
          if (random() < 0.5) await world.quiet()
        }
        await received(sink, world, events.length)
        tap.end()
        const failure = await world.settled(sink.finished, `the sink has finished (seed ${seed})`)
        claimSame([sink.received(), failure], [events, undefined], `events and failure (seed ${seed})`)
      }
    }),
    sinkCase('F59 F60', 'a producer that ends well before the first event ends the output well', async (sink, tap, world) => {
      await world.until(tap.hasConsumers, 'it has subscribed')
      tap.end()
      const failure = await world.settled(sink.finished, 'the sink has finished')
      claimSame([sink.received(), failure], [[], undefined], 'events and failure')
    }),
    sinkCase(
      'F59 F60',
      'a producer that fails before the first event fails the output, with the cause kept',
      async (sink, tap, world) => {
        const error = new Error('failed before the first')
        await world.until(tap.hasConsumers, 'it has subscribed')
        tap.fail(error)
        claimCause(await world.settled(sink.finished, 'the sink has finished'), error)
      },
    ),
    sinkCase('F59 F60', 'a producer that fails later fails the output behind the events before it', async (sink, tap, world) => {
      const error = new Error('failed later')
      tap.push([1, 2, 3])
      await received(sink, world, 3)
      tap.fail(error)
      claimCause(await world.settled(sink.finished, 'the sink has finished'), error)
      claimSame(sink.received(), [1, 2, 3], 'events')
    }),
    sinkCase('INV-13', 'a producer that is killed fails the output', async (sink, tap, world) => {
      tap.push([1])
      await received(sink, world, 1)
      tap.kill()
      const failure = await world.settled(sink.finished, 'the sink has finished')
      claim(failure !== undefined, 'the output ended well although its producer was killed')
    }),
    sinkCase(
      'INV-12 F60',
      'an output that closes before the first event cancels, and the producer lives on',
      async (sink, tap, world) => {
        await world.until(tap.hasConsumers, 'it has subscribed')
        sink.close()
        await world.until(() => !tap.hasConsumers(), 'the subscription is over')
        const failure = await world.settled(sink.finished, 'the sink has finished')
        tap.push([1])
        await world.quiet()
        claimSame([sink.received(), failure], [[], undefined], 'events and failure')
        claim(
          world.runtime.topology().stages.some(({ id }) => id === tap.ref.id),
          'the producer has ended with its consumer',
        )
      },
    ),
    sinkCase(
      'INV-12 F60',
      'an output that closes in mid-stream cancels, and nothing comes out any more',
      async (sink, tap, world) => {
        tap.push(numbers(4))
        await received(sink, world, 4)
        sink.close()
        await world.until(() => !tap.hasConsumers(), 'the subscription is over')
        await world.settled(sink.finished, 'the sink has finished')
        tap.push([5])
        await world.quiet()
        claimSame(sink.received(), numbers(4), 'events')
      },
    ),
    sinkCase('F60 INV-21', 'closing twice, and after the end, does nothing', async (sink, tap, world) => {
      tap.push([1])
      await received(sink, world, 1)
      tap.end()
      await world.settled(sink.finished, 'the sink has finished')
      sink.close()
      sink.close()
      await world.quiet()
      claimSame(sink.received(), [1], 'events')
    }),
    sinkCase('INV-1 INV-23', 'an output that takes nothing holds its producer back', async (sink, tap, world) => {
      if (sink.pause === undefined) return
      sink.pause()
      tap.push(numbers(50))
      await world.quiet()
      const ahead = tap.given() - sink.received().length
      claim(ahead <= 5 + lookAhead, `${ahead} events have left the producer for an output that takes nothing; maxDemand is 5`)
      sink.resume?.()
      await received(sink, world, 50)
      claimSame(sink.received(), numbers(50), 'events')
    }),
    sinkCase('INV-6', 'events that look like nothing are events', async (sink, tap, world) => {
      const events = falsyEvents.filter(carries)
      tap.push(events)
      await received(sink, world, events.length)
      claimSame(sink.received(), events, 'events')
    }),
    sinkCase(
      'F60 INV-17',
      'an output that fails cancels its subscription, and the producer lives on',
      async (sink, tap, world) => {
        if (sink.fail === undefined) return
        tap.push([1])
        await received(sink, world, 1)
        const error = new Error('the output failed')
        sink.fail(error)
        await world.until(() => !tap.hasConsumers(), 'the subscription is over')
        claimCause(await world.settled(sink.finished, 'the sink has finished'), error)
        claim(
          world.runtime.topology().stages.some(({ id }) => id === tap.ref.id),
          'the producer has ended with its consumer',
        )
      },
    ),
  ]
  if (keepsIdentity) {
    cases.push(
      sinkCase('BAD-56', 'thenables, functions and frozen objects travel as plain values', async (sink, tap, world) => {
        const trap = thenable()
        const events = [trap.event, () => 1, Object.freeze({ frozen: true })]
        tap.push(events)
        await received(sink, world, events.length)
        claim(
          events.every((event, index) => event === sink.received()[index]),
          'an event is not the object that went in',
        )
        claim(!trap.wasCalled(), 'the then of an event was called')
      }),
    )
  }
  if (refusesUncloneable !== undefined) {
    cases.push(
      sinkCase(
        'F61',
        'an event that cannot be handed on fails the output with a code, and the producer lives on',
        async (sink, tap, world) => {
          tap.push([1])
          await received(sink, world, 1)
          tap.push([() => 1])
          const failure = await world.settled(sink.finished, 'the sink has finished')
          const code = typeof failure === 'object' && failure !== null && 'code' in failure ? failure.code : undefined
          claimSame([code, sink.received()], [refusesUncloneable, [1]], 'code and events')
        },
      ),
    )
  }
  if (takesSignal) {
    cases.push({
      ids: ['F60'],
      name: `${adapter.name}: a signal that is aborted already means that nothing begins`,
      run: async () => {
        const world = new ContractWorld(timeoutMs)
        const tap = openTap(world)
        tap.push([1])
        const sink = adapter.open(tap.ref, { runtime: world.runtime, maxDemand: 5, signal: AbortSignal.abort() })
        await world.settled(sink.finished, 'the sink has finished')
        await world.until(() => !tap.hasConsumers(), 'nobody is subscribed')
        claimSame(sink.received(), [], 'events')
        await world.conclude()
      },
    })
  }
  return cases
}

function claimCause(failure: unknown, error: Error): void {
  for (let cause: unknown = failure; cause !== undefined; cause = next(cause)) if (cause === error) return
  claim(false, `the failure was not kept: the output was told of ${String(failure)}`)
}

/** What stands behind a failure: its cause, or the error of its reason. */
function next(failure: unknown): unknown {
  if (typeof failure !== 'object' || failure === null) return undefined
  if ('cause' in failure && failure.cause !== undefined) return failure.cause
  const reason = 'reason' in failure ? failure.reason : undefined
  return typeof reason === 'object' && reason !== null && 'error' in reason ? reason.error : undefined
}
