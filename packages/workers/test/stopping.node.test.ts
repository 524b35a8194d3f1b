/** Stop, drain, kill and cancel, while the thread has something to do. */
import { child, consumer, fromIterable, producer, start, supervisor } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { allOf, liveThreads, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

/** Cells of the shared memory that the stage `Gated` looks at: the gate, batches begun, `stopping` seen, `terminate` run. */
function gate() {
  const memory = new SharedArrayBuffer(16)
  const cells = new Int32Array(memory)
  return {
    memory,
    open(): void {
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
    },
    async begun(batches: number): Promise<void> {
      while (Atomics.load(cells, 1) < batches) await new Promise(resolve => setImmediate(resolve))
    },
    get batches(): number {
      return Atomics.load(cells, 1)
    },
    get hasTerminated(): boolean {
      return Atomics.load(cells, 3) === 1
    },
  }
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)

/** A stage on a thread that is at its first batch, with others on the way to it; what comes out is kept. */
async function busy(redeliver: boolean) {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const gated = gate()
  const discarded: unknown[] = []
  runtime.telemetry.on('discarded', ({ events, reason }) => discarded.push(...events.map(event => `${reason} ${String(event)}`)))
  const source = start(fromIterable(numbers(100)), { runtime })
  source.monitor(() => {})
  const stage = start(threaded('Gated'), { runtime, arg: gated.memory })
  const out: number[] = []
  const Sink = consumer(() => ({
    handleEvents(events: readonly number[]) {
      out.push(...events)
    },
  }))
  const sink = start(Sink, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
  stage.subscribe({ to: source, maxDemand: 4, minDemand: 2, cancel: 'temporary', ...(redeliver && { redeliver: true }) })
  await gated.begun(1)
  return { ...recorded, gated, source, stage, sink, out, discarded }
}

describe('stop', () => {
  it('INV-21 finishes what is on the thread, runs terminate there, and resolves when the thread is gone', async () => {
    const { stage, gated, out } = await busy(false)
    const stopped = stage.stop()
    gated.open()
    expect(await stopped).toEqual({ type: 'normal' })
    expect([liveThreads.size, gated.hasTerminated]).toEqual([0, true])
    expect(out).toEqual([1, 2, 3, 4])
    expect(await stage.stop()).toEqual({ type: 'normal' })
  })

  it('INV-21 past its time kills the thread, whatever that is doing', async () => {
    const { stage, gated, discarded } = await busy(false)
    expect(await stage.stop('normal', { timeout: 20 })).toEqual({ type: 'killed' })
    await threadsGone()
    expect(gated.hasTerminated).toBe(false)
    expect(discarded.toSorted()).toEqual(['killed 1', 'killed 2', 'killed 3', 'killed 4'])
  })

  it('before the thread has begun', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Echo'), { runtime })
    expect(await stage.stop()).toEqual({ type: 'normal' })
    expect(liveThreads.size).toBe(0)
  })

  it('a signal that is aborted already stops it', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Echo'), { runtime, signal: AbortSignal.abort() })
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    await threadsGone()
  })

  it('drain finishes what is on its way, messages too', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(numbers(500)), { runtime })
    const keeper = start(threaded('Keeper', { type: 'consumer' }), {
      runtime,
      subscribeTo: [{ to: source, maxDemand: 10, cancel: 'temporary' }],
    })
    const talker = start(threaded('Talker'), { runtime })
    const out: string[] = []
    const Sink = consumer(() => ({
      handleEvents(events: readonly string[]) {
        out.push(...events)
      },
    }))
    start(Sink, { runtime, subscribeTo: [{ to: talker, cancel: 'transient' }] })
    for (const each of ['one', 'two', 'three']) talker.cast(each)
    await Promise.all([keeper.ready, talker.ready])
    await runtime.stop({ drain: true, timeout: 10_000 })
    expect(out).toEqual(['cast one', 'cast two', 'cast three'])
    expect(await keeper.exited).toEqual({ type: 'shutdown' })
  })
})

describe('kill', () => {
  it('GS-J6 ends stage and thread in the middle of a batch; with redeliver everything goes back', async () => {
    const { stage, source, gated, discarded } = await busy(true)
    expect(await stage.kill()).toEqual({ type: 'killed' })
    await threadsGone()
    expect(gated.hasTerminated).toBe(false)
    expect(discarded).toEqual([])
    expect(await allOf(source.stream({ cancel: 'transient' }))).toEqual(numbers(100))
  })

  it('ends a thread that never comes out of a loop', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Failing'), { runtime })
    const source = start(fromIterable(['loop'] as const), { runtime })
    const reader = stage.stream({ cancel: 'temporary' })[Symbol.asyncIterator]()
    const first = reader.next()
    stage.subscribe({ to: source })
    await source.exited
    expect(await stage.stop('normal', { timeout: 50 })).toEqual({ type: 'killed' })
    expect((await first).done).toBe(true)
    await threadsGone()
  })
})

describe('cancel', () => {
  it('INV-12 by the consumer: the stage lives on, and the next consumer goes on where it left off', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(numbers(6)), { runtime })
    const stage = start(threaded('Echo'), { runtime, subscribeTo: [{ to: source, maxDemand: 1 }] })
    const out: unknown[] = []
    for await (const event of stage.stream({ maxDemand: 1 })) {
      out.push(event)
      if (out.length === 2) break
    }
    for await (const event of stage.stream({ maxDemand: 1, cancel: 'transient' })) out.push(event)
    expect(out).toEqual(numbers(6))
  })

  it('INV-12 by the producer, while the thread has a batch of it: the batch is finished first', async () => {
    const { runtime, gated, source, stage, out } = await busy(false)
    const links = runtime.topology().edges.filter(edge => edge.producer === source.id)
    expect(links).toHaveLength(1)
    const stopped = source.stop()
    expect(await stopped).toEqual({ type: 'normal' })
    gated.open()
    await stage.inspect()
    while (out.length < 4) await stage.inspect()
    expect(out).toEqual([1, 2, 3, 4])
    await runtime.stop()
  })

  it('GS-K5 a permanent subscription takes the stage with it, and the thread', async () => {
    const { runtime } = recordedRuntime()
    const source = start(
      producer(() => ({ handleDemand() {} })),
      { runtime },
    )
    const stage = start(threaded('Echo'), { runtime, subscribeTo: [source] })
    await stage.ready
    await source.stop('shutdown')
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    expect(liveThreads.size).toBe(0)
  })
})

describe('a supervisor', () => {
  it('starts a new thread for a stage that failed, with its restart count', async () => {
    const { runtime } = recordedRuntime()
    const Tree = supervisor([child(threaded('Where'), { id: 'where', arg: { greeting: 'again' } })])
    const tree = start(Tree, { runtime })
    await tree.ready
    const restarted = new Promise(resolve => runtime.telemetry.once('restarted', resolve))
    for (const worker of liveThreads) void worker.terminate()
    await restarted
    const stage = tree.child('where')
    if (stage === undefined) throw new Error('it is down')
    await stage.ready
    const out: unknown[] = []
    stage.subscribe({ to: start(fromIterable([1]), { runtime }), cancel: 'temporary' })
    for await (const { restartCount } of stage.stream()) {
      out.push(restartCount)
      break
    }
    expect(out).toEqual([1])
    await tree.stop()
    expect(liveThreads.size).toBe(0)
  })
})
