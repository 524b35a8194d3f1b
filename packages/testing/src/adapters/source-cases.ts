import { GenStageError, type Reason } from '@genstage/core'
import { claim, claimSame, type ContractCase } from '../contract.ts'
import { seededRandom } from '../seeded-random.ts'
import type { AdapterCapabilities, OpenSource, SourceAdapter } from './adapter.ts'
import { chunksOf, falsyEvents, numbers, thenable } from './contract-events.ts'
import { ContractWorld } from './contract-world.ts'

const seeds = 20

/** The cases that every source has to pass. */
export function sourceCases(adapter: SourceAdapter, capabilities: AdapterCapabilities): readonly ContractCase[] {
  const { keepsIdentity = true, releasesWhenKilled = true, refusesUncloneable, lookAhead = 0 } = capabilities
  const { takesSignal = false, timeoutMs = 2_000 } = capabilities
  const carries = (event: unknown): boolean => capabilities.carries?.(event) ?? true

  /** One case: a source of its own in a world of its own. */
  function sourceCase(
    ids: string,
    name: string,
    body: (source: OpenSource, world: ContractWorld) => Promise<void>,
  ): ContractCase {
    const run = async (): Promise<void> => {
      const world = new ContractWorld(timeoutMs)
      const source = adapter.open(world.runtime)
      source.ref.monitor(() => {})
      await body(source, world)
      await world.conclude()
      claim(source.released() <= 1, `the input was told ${source.released()} times that no more is wanted`)
    }
    return { ids: ids.split(' '), name: `${adapter.name}: ${name}`, run }
  }

  async function failsWith(source: OpenSource, world: ContractWorld, error: Error): Promise<void> {
    const reason = await world.settled(source.ref.exited, 'the source has ended with its input')
    claim(isCausedBy(reason, error), `the failure of the input was not kept: the source ended with ${show(reason)}`)
  }

  const cases = [
    sourceCase('INV-5 INV-6 INV-26', 'what goes in comes out, in order and once, however it is cut', async (_, world) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const random = seededRandom(seed)
        const source = adapter.open(world.runtime)
        const events = numbers(Math.floor(random() * 60))
        const probe = world.probe(source.ref, 1 + Math.floor(random() * 12))
        for (const chunk of chunksOf(events, random)) {
          source.push(chunk)
          if (random() < 0.5) await world.quiet()
        }
        source.end()
        await world.settled(source.ref.exited, `the source has ended (seed ${seed})`)
        await world.until(() => probe.cancels.length > 0, `its consumer knows (seed ${seed})`)
        claimSame(probe.events, events, `events (seed ${seed})`)
      }
    }),
    sourceCase('F59 F60', 'an input that ends at once gives nothing, and ends the source well', async (source, world) => {
      const probe = world.probe(source.ref)
      source.end()
      const reason = await world.settled(source.ref.exited, 'the source has ended')
      claimSame([reason.type, probe.events], ['normal', []], 'reason and events')
    }),
    sourceCase('F59 F60', 'a failure before the first event ends the source with that very error', async (source, world) => {
      const error = new Error('failed before the first')
      world.probe(source.ref)
      source.fail(error)
      await failsWith(source, world, error)
    }),
    sourceCase('F59 F60', 'a failure in mid-batch comes behind the events before it', async (source, world) => {
      const error = new Error('failed in mid-batch')
      const probe = world.probe(source.ref)
      source.push([1, 2, 3])
      source.fail(error)
      await failsWith(source, world, error)
      await world.until(() => probe.cancels.length > 0, 'its consumer knows')
      claimSame(probe.events, [1, 2, 3], 'events before the failure')
    }),
    sourceCase(
      'INV-12 F59',
      'a consumer that cancels gets nothing more, and the next goes on where it left off',
      async (source, world) => {
        const first = world.probe(source.ref, 1)
        source.push([1])
        await world.until(() => first.events.length === 1, 'the first event has come')
        first.subscriptions[0]?.cancel()
        await world.until(() => first.cancels.length === 1, 'the cancel is confirmed')
        const got = [...first.events]
        const second = world.probe(source.ref)
        source.push([2, 3])
        source.end()
        await world.settled(source.ref.exited, 'the source has ended')
        await world.until(() => second.cancels.length > 0, 'its consumer knows')
        claimSame([...got, ...second.events], [1, 2, 3], 'events of both')
        claimSame(first.events, got, 'events of the first, after its cancel')
      },
    ),
    sourceCase(
      'INV-21 F59',
      'a stop while it waits for the input ends it, and releases the input once',
      async (source, world) => {
        world.probe(source.ref)
        await world.quiet()
        await world.settled(source.ref.stop('normal', { timeout: timeoutMs / 4 }), 'the source has stopped')
        await world.until(() => source.released() === 1, 'the input was told')
      },
    ),
    sourceCase('INV-21 F59', 'a stop between two events ends it, and releases the input once', async (source, world) => {
      const probe = world.probe(source.ref)
      source.push([1, 2])
      await world.until(() => probe.events.length === 2, 'two events have come')
      await world.settled(source.ref.stop('normal', { timeout: timeoutMs / 4 }), 'the source has stopped')
      await world.until(() => source.released() === 1, 'the input was told')
      source.push([3])
      await world.quiet()
      claimSame(probe.events, [1, 2], 'events after the stop')
    }),
    sourceCase('INV-6', 'events that look like nothing are events', async (source, world) => {
      const events = falsyEvents.filter(carries)
      const probe = world.probe(source.ref)
      source.push(events)
      await world.until(() => probe.events.length >= events.length, `${events.length} events have come`)
      claimSame(probe.events, events, 'events')
    }),
  ]
  if (Number.isFinite(lookAhead)) {
    cases.push(
      sourceCase('INV-1 INV-23', `takes at most ${lookAhead} more from its input than was asked for`, async (source, world) => {
        if (source.taken === undefined) return
        const probe = world.probe(source.ref, 3)
        probe.subscriptions[0]?.cancel()
        source.push(numbers(50))
        await world.until(() => probe.events.length === 50, 'all events have come')
        const idle = adapter.open(world.runtime)
        idle.push(numbers(50))
        await world.quiet()
        const ahead = idle.taken?.() ?? 0
        claim(ahead <= lookAhead, `${ahead} events were taken, and nobody had asked for any`)
      }),
    )
  }
  if (releasesWhenKilled) {
    cases.push(
      sourceCase('INV-21', 'a kill releases the input as well', async (source, world) => {
        world.probe(source.ref)
        source.push([1])
        await world.quiet()
        await world.settled(source.ref.kill(), 'the source has been killed')
        await world.until(() => source.released() === 1, 'the input was told')
      }),
    )
  }
  if (keepsIdentity) {
    cases.push(
      sourceCase('BAD-56', 'thenables, functions and frozen objects travel as plain values', async (source, world) => {
        const trap = thenable()
        const events = [trap.event, () => 1, Object.freeze({ frozen: true })]
        const probe = world.probe(source.ref)
        source.push(events)
        await world.until(() => probe.events.length === events.length, 'all have come')
        claim(
          events.every((event, index) => event === probe.events[index]),
          'an event is not the object that went in',
        )
        claim(!trap.wasCalled(), 'the then of an event was called')
      }),
    )
  }
  if (refusesUncloneable !== undefined) {
    cases.push(
      sourceCase(
        'F61',
        'an event that cannot be handed on ends the source with a code, behind the events before it',
        async (source, world) => {
          const probe = world.probe(source.ref)
          source.push([1])
          await world.until(() => probe.events.length === 1, 'the event before has come')
          source.push([() => 1])
          const reason = await world.settled(source.ref.exited, 'the source has ended')
          claimSame([codeOf(reason), probe.events], [refusesUncloneable, [1]], 'code and events')
        },
      ),
    )
  }
  for (const [way, open] of Object.entries(adapter.unusable ?? {})) {
    cases.push({
      ids: ['F60'],
      name: `${adapter.name}: an input that is ${way} is refused, or ends the source at once`,
      run: async () => {
        const world = new ContractWorld(timeoutMs)
        try {
          await world.settled(open(world.runtime).exited, 'the source has ended')
        } catch (error) {
          claim(error instanceof GenStageError, `thrown was ${String(error)}, which is no GenStageError`)
        }
        await world.conclude()
      },
    })
  }
  if (takesSignal) {
    cases.push({
      ids: ['F60'],
      name: `${adapter.name}: a signal that is aborted already ends the source, and releases the input`,
      run: async () => {
        const world = new ContractWorld(timeoutMs)
        const source = adapter.open(world.runtime, AbortSignal.abort())
        source.ref.monitor(() => {})
        source.push([1])
        await world.settled(source.ref.exited, 'the source has ended')
        await world.quiet()
        claim(source.released() <= 1, `the input was told ${source.released()} times`)
        await world.conclude()
      },
    })
  }
  return cases
}

function isCausedBy(reason: Reason, error: Error): boolean {
  for (let cause: unknown = reason.type === 'error' ? reason.error : undefined; cause instanceof Error; cause = cause.cause)
    if (cause === error) return true
  return false
}

function codeOf(reason: Reason): unknown {
  const error = reason.type === 'error' ? reason.error : undefined
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

function show(reason: Reason): string {
  return reason.type === 'error' ? String(reason.error) : reason.type
}
