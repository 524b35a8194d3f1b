/** How events, messages and errors cross the port. */
import { fromIterable, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { allOf, recordedRuntime, threaded } from './support/threads.ts'

describe('an event that cannot cross', () => {
  it('F61 on the way there: the stage fails with NOT_CLONEABLE and tells which it was; its producer lives on', async () => {
    const { runtime } = recordedRuntime()
    const discarded: unknown[] = []
    runtime.telemetry.on('discarded', ({ events }) => discarded.push(...events))
    const bad = { callback: () => 1 }
    const source = start(fromIterable<unknown>([1, 2, bad, 4]), { runtime })
    const stage = start(threaded('Keeper', { type: 'consumer' }), {
      runtime,
      name: 'keeper',
      subscribeTo: [{ to: source, maxDemand: 2, minDemand: 0 }],
    })
    expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'NOT_CLONEABLE', stage: 'keeper' } })
    const { error } = (await stage.exited) as { readonly error: Error }
    expect(error.message).toMatch(
      /^stage "keeper": event 1 of 2 of a batch cannot cross to another thread: .*could not be cloned/s,
    )
    expect(discarded).toEqual([bad, 4])
    expect(await source.inspect()).toMatchObject({ consumers: [] })
  })

  it('F61 on the way back: the same', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(['fine', 'fine', 'fine', 'bad']), { runtime })
    const stage = start(threaded('Uncloneable'), { runtime, name: 'stage' })
    const out = allOf(stage.stream({ cancel: 'temporary' }))
    stage.subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'NOT_CLONEABLE' } })
    const { error } = (await stage.exited) as { readonly error: Error }
    expect(error.message).toContain('event 2 of 2 of a callback')
    expect(await out).toEqual(['fine', 'fine'])
  })

  it.each([
    ['emitted by another callback', (stage: Uncloneable) => stage.cast(undefined as never)],
    ['a reply', (stage: Uncloneable) => void stage.call(undefined as never).catch(() => {})],
    ['a message to the stage', (stage: Uncloneable) => stage.cast((() => 1) as never)],
  ])('F61 %s: the same', async (_, send) => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Uncloneable'), { runtime, name: 'stage' })
    send(stage)
    expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'NOT_CLONEABLE', stage: 'stage' } })
  })

  it('F61 the argument: the start fails', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Where'), { runtime, name: 'where', arg: { greeting: (() => 'hello') as unknown as string } })
    await expect(stage.ready).rejects.toMatchObject({ code: 'NOT_CLONEABLE', stage: 'where' })
  })

  it('F61 with redeliver and a limit it is discarded in the end, and tells so', async () => {
    const { runtime } = recordedRuntime()
    const discarded: unknown[] = []
    runtime.telemetry.on('discarded', ({ events, reason }) => discarded.push([reason, events.length]))
    const source = start(fromIterable<unknown>([() => 1, 2]), { runtime })
    for (let life = 1; life <= 2; life++) {
      const to = { to: source, maxDemand: 1, redeliver: { limit: 2 } } as const
      const stage = start(threaded('Keeper', { type: 'consumer' }), { runtime, subscribeTo: [to] })
      expect(await stage.exited).toMatchObject({ error: { code: 'NOT_CLONEABLE' } })
    }
    expect(discarded).toEqual([['redelivery_limit', 1]])
    expect(await allOf(source.stream({ cancel: 'transient' }))).toEqual([2])
  })
})

type Uncloneable = ReturnType<typeof startUncloneable>
function startUncloneable() {
  return start(threaded('Uncloneable'))
}

describe('what can cross', () => {
  const events: readonly unknown[] = [
    0, -0, '', 'text', false, null, undefined, NaN, Infinity, 10n, [], {}, { nested: { deep: [1, { two: 2 }] } },
    new Date(0), new Map([['key', new Set([1])]]), /pattern/g, new Uint8Array([1, 2, 3]), new RangeError('an error as an event'),
  ] // prettier-ignore

  it('is nearly everything, and arrives as it was', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(events), { runtime })
    const stage = start(threaded('Echo'), { runtime, subscribeTo: [{ to: source, maxDemand: 5 }] })
    expect(await allOf(stage.stream({ cancel: 'transient', maxDemand: 100 }))).toEqual(events)
  })

  it('as JSON text: plain data, as JSON has it', async () => {
    const plain = [0, '', 'text', false, null, [], {}, { nested: { deep: [1, { two: 2 }] } }, '\u2028 "quotes" \\']
    const { runtime } = recordedRuntime()
    const source = start(fromIterable<unknown>([...plain, new Date(0), NaN]), { runtime })
    const stage = start(threaded('Echo', { encoding: 'json' }), { runtime, subscribeTo: [{ to: source, maxDemand: 5 }] })
    expect(await allOf(stage.stream({ cancel: 'transient', maxDemand: 100 }))).toEqual([
      ...plain,
      '1970-01-01T00:00:00.000Z',
      null,
    ])
  })

  it('F61 what JSON refuses fails the stage with NOT_CLONEABLE', async () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const { runtime } = recordedRuntime()
    const source = start(fromIterable<unknown>([1, cycle]), { runtime })
    const stage = start(threaded('Keeper', { type: 'consumer', encoding: 'json' }), { runtime, subscribeTo: [source] })
    expect(await stage.exited).toMatchObject({ error: { code: 'NOT_CLONEABLE' } })
    const { error } = (await stage.exited) as { readonly error: Error }
    expect(error.message).toContain('event 2 of 2')
  })
})

describe('memory of typed arrays', () => {
  const arrays = () => [new Float64Array([1, 2]), new Float64Array([3]), new Float64Array([])]
  const doubled = [new Float64Array([2, 4]), new Float64Array([6]), new Float64Array([])]

  it.each([
    ['is copied by default', {}, [2, 1, 0]],
    ["is handed over with transfer: 'buffers'", { transfer: 'buffers' }, [0, 0, 0]],
  ] as const)('%s', async (_, options, lengths) => {
    const { runtime } = recordedRuntime()
    const sent = arrays()
    const source = start(fromIterable(sent), { runtime })
    const stage = start(threaded('Scale', options), { runtime, subscribeTo: [source] })
    expect(await allOf(stage.stream({ cancel: 'transient' }))).toEqual(doubled)
    expect(sent.map(array => array.length)).toEqual(lengths)
  })

  it('INV-6 is copied in any case over a subscription with redeliver: it may have to be delivered again', async () => {
    const { runtime } = recordedRuntime()
    const sent = arrays()
    const source = start(fromIterable(sent), { runtime })
    const stage = start(threaded('Scale', { transfer: 'buffers' }), { runtime, subscribeTo: [{ to: source, redeliver: true }] })
    expect(await allOf(stage.stream({ cancel: 'transient' }))).toEqual(doubled)
    expect(sent).toEqual(arrays())
  })

  it('goes over with the events whose properties they are; each buffer once, and parts of one not at all', async () => {
    const { runtime } = recordedRuntime()
    const whole = new Int32Array([1, 2, 3])
    const parted = new Int32Array([4, 5, 6])
    const part = parted.subarray(1)
    const sent = [{ data: whole }, { data: whole }, { data: part }]
    const source = start(fromIterable(sent), { runtime })
    const stage = start(threaded('SumParts', { transfer: 'buffers' }), { runtime, subscribeTo: [source] })
    expect(await allOf(stage.stream({ cancel: 'transient' }))).toEqual([6, 6, 11])
    expect([whole.length, parted.length]).toEqual([0, 3])
  })
})
