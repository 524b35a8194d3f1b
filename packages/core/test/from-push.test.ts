import { adapterContract } from '@genstage/testing'
import { fromPush, GenStageError, start } from '@genstage/core'
import type { FromPushOptions, ProducerRef, PushSink, Runtime } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { range } from './support/stages.ts'
import { settle } from './support/turns.ts'

/** A source in the hands of the test, a consumer that asks when told to, and what was reported as lost. */
function pushed(runtime: Runtime, options?: FromPushOptions) {
  let sink!: PushSink<number>
  let disconnects = 0
  const ref = start(
    fromPush<number>(given => {
      sink = given
      return () => {
        disconnects++
      }
    }, options),
    { runtime },
  )
  const lost: (readonly [reason: string, events: readonly unknown[]])[] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  const peer = new RawConsumer(runtime)
  return {
    ref,
    peer,
    lost,
    push: (...events: readonly number[]): readonly boolean[] => events.map(event => sink.push(event)),
    sink: () => sink,
    disconnects: () => disconnects,
    async connect(demand: number): Promise<void> {
      await ref.ready
      peer.subscribe(ref)
      if (demand > 0) peer.ask(ref, demand)
      await settle(runtime)
    },
  }
}

describe('fromPush', () => {
  it.each(
    adapterContract(
      {
        kind: 'source',
        name: 'fromPush',
        open(runtime, signal) {
          let sink!: PushSink<unknown>
          let released = 0
          let waiting: (() => void)[] | undefined = []
          const Source = fromPush<unknown>(given => {
            sink = given
            for (const work of waiting ?? []) work()
            waiting = undefined
            return () => {
              released++
            }
          })
          const ref = start(Source, { runtime, ...(signal === undefined ? {} : { signal }) })
          const soon = (work: () => void): void => void (waiting === undefined ? work() : waiting.push(work))
          return {
            ref,
            push: events => soon(() => events.forEach(event => sink.push(event))),
            end: () => soon(() => sink.end()),
            fail: error => soon(() => sink.fail(error)),
            released: () => released,
          }
        },
      },
      { takesSignal: true, lookAhead: Infinity },
    ).map(({ ids, name, run }) => [ids.join(' '), name, run] as const),
  )('%s %s', async (_ids, _name, run) => {
    await run()
  })

  it('GS-P2 hands on at once what is asked for, and keeps the rest until it is', async () => {
    const { runtime } = recordedRuntime()
    const { peer, ref, push, connect } = pushed(runtime)
    await connect(2)
    expect(push(1, 2, 3, 4)).toEqual([true, true, true, true])
    await settle(runtime)
    expect(peer.items).toEqual([1, 2])
    peer.ask(ref, 5)
    await settle(runtime)
    push(5)
    await settle(runtime)
    expect(peer.items).toEqual([1, 2, 3, 4, 5])
  })

  it.each([
    ['dropOldest', [true, true, true, true], [3, 4], [1, 2]],
    ['dropNewest', [true, true, false, false], [1, 2], [3, 4]],
  ] as const)('INV-10 with %s keeps what fits, and reports every event that does not', async (overflow, kept, out, dropped) => {
    const { runtime, lines } = recordedRuntime()
    const { peer, ref, push, connect, lost } = pushed(runtime, { bufferSize: 2, overflow })
    await connect(0)
    expect(push(1, 2, 3, 4)).toEqual(kept)
    await settle(runtime)
    expect(lost).toEqual([['source_overflow', dropped]])
    expect(lines.map(({ level, code }) => [level, code])).toEqual([['warn', 'discarded']])
    peer.ask(ref, 10)
    await settle(runtime)
    expect(peer.items).toEqual(out)
  })

  it("INV-10 with 'error' hands on what was kept, then fails with SOURCE_OVERFLOW", async () => {
    const { runtime } = recordedRuntime()
    const { peer, ref, push, connect, lost, disconnects } = pushed(runtime, { bufferSize: 2, overflow: 'error' })
    const ended = ref.exited
    await connect(0)
    expect(push(1, 2, 3, 4)).toEqual([true, true, false, false])
    expect(disconnects()).toBe(1)
    await settle(runtime)
    expect(lost).toEqual([['source_overflow', [3, 4]]])
    peer.ask(ref, 10)
    const reason = await ended
    expect(peer.items).toEqual([1, 2])
    const error = reason.type === 'error' ? reason.error : undefined
    expect(error).toBeInstanceOf(GenStageError)
    expect(error).toMatchObject({ code: 'SOURCE_OVERFLOW', message: expect.stringContaining('bufferSize 2') as unknown })
    expect(disconnects()).toBe(1)
  })

  it('INV-10 with bufferSize 0 keeps only what is asked for', async () => {
    const { runtime } = recordedRuntime()
    const { peer, push, connect, lost } = pushed(runtime, { bufferSize: 0 })
    await connect(2)
    expect(push(1, 2, 3)).toEqual([true, true, true])
    await settle(runtime)
    expect([peer.items, lost]).toEqual([[2, 3], [['source_overflow', [1]]]])
    expect(push(4)).toEqual([false])
  })

  it('F51 tells of dropped events as they pile up, however many come before the stage has a turn', async () => {
    const { runtime } = recordedRuntime()
    const { push, connect, lost } = pushed(runtime, { bufferSize: 10 })
    await connect(0)
    push(...Array.from({ length: 5_010 }, (_, index) => index))
    await settle(runtime)
    expect(lost.map(([, events]) => events.length)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000])
    expect(lost.flatMap(([, events]) => events)).toEqual(Array.from({ length: 5_000 }, (_, index) => index))
  })

  it('INV-5 INV-6 INV-10 every event comes out once, in order, or is reported, whatever the demand', async () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ ask: fc.integer({ min: 1, max: 12 }) }),
      fc.constant({ settle: true as const }),
    )
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 0, max: 8 }),
      fc.constantFrom('dropOldest', 'dropNewest'),
      async (steps, bufferSize, overflow) => {
        const { runtime } = recordedRuntime()
        const { peer, ref, push, connect, lost, sink } = pushed(runtime, { bufferSize, overflow })
        await connect(0)
        const all: number[] = []
        for (const each of steps) {
          if ('push' in each) {
            const events = Array.from({ length: each.push }, (_, index) => all.length + index)
            all.push(...events)
            push(...events)
          } else if ('ask' in each) peer.ask(ref, each.ask)
          else await settle(runtime)
        }
        sink().end()
        peer.ask(ref, all.length + 1)
        await ref.exited
        const dropped = lost.flatMap(([, events]) => events as readonly number[])
        expect(peer.items).toEqual([...peer.items].sort((a, b) => Number(a) - Number(b)))
        expect([...(peer.items as readonly number[]), ...dropped].sort((a, b) => a - b)).toEqual(all)
        await runtime.stop()
      },
    )
    await fc.assert(property, { seed: 4_100, numRuns: 150 })
  })

  it('GS-J10 takes nothing more once it is told to stop, disconnects once, and reports what waits', async () => {
    const { runtime } = recordedRuntime()
    const { ref, push, connect, lost, disconnects, sink } = pushed(runtime)
    await connect(0)
    push(1, 2)
    await ref.stop()
    expect([push(3), disconnects()]).toEqual([[false], 1])
    expect(lost).toEqual([['stopped', [1, 2]]])
    sink().end()
    sink().fail(new Error('too late'))
    await settle(runtime)
    expect(disconnects()).toBe(1)
  })

  it('GS-J6 GS-J10 disconnects when it is killed, and reports what waits', async () => {
    const { runtime } = recordedRuntime()
    const { ref, push, connect, lost, disconnects } = pushed(runtime)
    await connect(0)
    push(1)
    await ref.kill()
    expect([lost, disconnects()]).toEqual([[['killed', [1]]], 1])
  })

  it('INV-4 a drain hands on what waits', async () => {
    const { runtime } = recordedRuntime()
    const { ref, peer, push, connect, lost } = pushed(runtime)
    await connect(1)
    push(1, 2, 3)
    const stopped = ref.stop('normal', { drain: true })
    await settle(runtime)
    peer.ask(ref, 5)
    await stopped
    expect([peer.items, lost]).toEqual([[1, 2, 3], []])
  })

  it('INV-6 a drain has room for all that may wait', async () => {
    const { runtime } = recordedRuntime()
    const { ref, peer, push, connect, lost } = pushed(runtime, { bufferSize: 50_000 })
    await connect(0)
    push(...range(0, 30_000))
    const stopped = ref.stop('normal', { drain: true })
    await settle(runtime)
    peer.ask(ref, 30_000)
    await stopped
    expect([peer.items.length, lost]).toEqual([30_000, []])
  })

  it('GS-L10 does not connect when it has been told to stop before', async () => {
    const { runtime } = recordedRuntime()
    let connected = false
    const ref = start(
      fromPush<number>(() => {
        connected = true
      }),
      { runtime },
    )
    await ref.stop()
    expect(connected).toBe(false)
  })

  it('F59 a source that pushes and ends before connect has returned loses nothing', async () => {
    const { runtime } = recordedRuntime()
    let disconnects = 0
    const Source = fromPush<number>(sink => {
      sink.push(1)
      sink.push(2)
      sink.end()
      return () => {
        disconnects++
      }
    })
    const events: number[] = []
    const ref: ProducerRef<number> = start(Source, { runtime })
    for await (const event of ref.stream({ cancel: 'transient' })) events.push(event)
    expect([events, disconnects]).toEqual([[1, 2], 1])
  })

  it('GS-E4 a source that has ended before anybody asks is still there, and ends for whoever comes', async () => {
    const { runtime } = recordedRuntime()
    const Source = fromPush<number>(sink => sink.end())
    const ref = start(Source, { runtime })
    await settle(runtime)
    const events: number[] = []
    for await (const event of ref.stream({ cancel: 'transient' })) events.push(event)
    expect([events, await ref.exited]).toEqual([[], { type: 'normal' }])
  })

  it('INV-17 a source that has failed before anybody asks fails at once', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('broken')
    const ref = start(
      fromPush<number>(sink => sink.fail(error)),
      { runtime },
    )
    expect(await ref.exited).toEqual({ type: 'error', error })
  })

  it.each([
    ['continue', 'running'],
    ['stop', 'normal'],
  ] as const)('GS-E6 with onCancel %s it is %s when its last consumer has gone', async (onCancel, state) => {
    const { runtime } = recordedRuntime()
    const { ref, peer, connect } = pushed(runtime, { onCancel })
    await connect(1)
    peer.cancel(ref)
    await settle(runtime)
    const running = runtime.topology().stages.some(({ id }) => id === ref.id)
    expect(running ? 'running' : (await ref.exited).type).toBe(state)
  })

  it('GS-L2 what connect throws fails the start', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('no such device')
    const ref = start(
      fromPush(() => {
        throw error
      }),
      { runtime },
    )
    await expect(ref.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', cause: error })
  })

  it.each([
    ['no function', () => fromPush(5 as never), 'BAD_SOURCE', 'connect must be a function'],
    ['bufferSize -1', () => fromPush(() => {}, { bufferSize: -1 }), 'BAD_OPTION', 'bufferSize must be'],
    ['bufferSize NaN', () => fromPush(() => {}, { bufferSize: NaN }), 'BAD_OPTION', 'bufferSize must be'],
    ['overflow', () => fromPush(() => {}, { overflow: 'drop' as never }), 'BAD_OPTION', "'dropOldest'"],
    ['a misspelt option', () => fromPush(() => {}, { buferSize: 1 } as never), 'BAD_OPTION', 'did you mean bufferSize?'],
  ])('BAD-68 refuses %s', (_what, call, code, text) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) as unknown }))
  })
})
