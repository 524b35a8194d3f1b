/** `inFlight`: the work on a batch goes on while the next batch comes. */
import { consumer, fromIterable, inFlight, producerConsumer, start } from '@genstage/core'
import type { CancelMode, Runtime } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, range, source } from './support/stages.ts'
import { settle, turn } from './support/turns.ts'

/** Work that the test finishes, by the first event of its batch. */
class Desk {
  readonly #open = new Map<number, { resolve(result: readonly number[] | undefined): void; reject(error: unknown): void }>()
  /** Batches in the order in which they came. */
  readonly begun: (readonly number[])[] = []

  begin(events: readonly number[]): Promise<readonly number[] | undefined> {
    this.begun.push(events)
    return new Promise((resolve, reject) => this.#open.set(events[0] ?? NaN, { resolve, reject }))
  }

  finish(first: number, result?: readonly number[]): void {
    this.#take(first).resolve(result)
  }

  fail(first: number, error: unknown): void {
    this.#take(first).reject(error)
  }

  get open(): readonly number[] {
    return [...this.#open.keys()]
  }

  #take(first: number) {
    const work = this.#open.get(first)
    if (work === undefined) throw new Error(`no batch that begins with ${first} is open`)
    this.#open.delete(first)
    return work
  }
}

const aborted = (): DOMException => new DOMException('given up', 'AbortError')

/** A counter and a worker with the work in the hands of the test: batches of two, up to six events at once. */
function openWorkshop(runtime: Runtime, options: { redeliver?: true; limit?: number; cancel?: CancelMode } = {}) {
  const { limit, ...subscription } = options
  const desk = new Desk()
  const seen: string[] = []
  const Worker = consumer(() => ({
    handleEvents: (events: readonly number[]) => inFlight(desk.begin(events)),
    handleInfo(message: string) {
      seen.push(message)
      if (message === 'crash') throw new Error('crash')
    },
    handleCancel: ({ reason }) => void seen.push(`cancelled ${reason.type}`),
    terminate: reason => void seen.push(`terminated ${reason.type}`),
  }))
  const from = start(counter([], limit) as Numbers, { runtime })
  const worker = start(Worker, { runtime, subscribeTo: [{ to: from, maxDemand: 6, minDemand: 4, ...subscription }] })
  const lost: (readonly [reason: string, events: readonly unknown[]])[] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  return { desk, seen, worker, from, lost }
}

type Workshop = ReturnType<typeof openWorkshop>
type Numbers = ReturnType<typeof fromIterable<number>>

describe('inFlight', () => {
  it('GS-A1 GS-Q4 lets the next batches come while the first is under way, as many as maxDemand allows', async () => {
    const { runtime } = recordedRuntime()
    const { desk, worker, seen } = openWorkshop(runtime)
    await settle(runtime)
    expect(desk.begun).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ])
    const [edge] = runtime.topology().edges
    expect([edge?.inFlight, edge?.demand, edge?.delivered]).toEqual([6, 0, 6])
    worker.send('hello')
    await settle(runtime)
    expect(seen).toEqual(['hello'])

    desk.finish(2)
    await settle(runtime)
    expect(desk.begun.slice(3)).toEqual([[6, 7]])
    expect(runtime.topology().edges[0]?.inFlight).toBe(6)
  })

  it('INV-5 the results of a stage in the middle leave in the order of the batches', async () => {
    const { runtime } = recordedRuntime()
    const desk = new Desk()
    const Worker = producerConsumer(() => ({
      handleEvents: (events: readonly number[]) => inFlight(desk.begin(events)),
    }))
    const from = start(fromIterable(range(0, 100)), { runtime })
    const worker = start(Worker, { runtime, subscribeTo: [{ to: from, maxDemand: 6, minDemand: 4 }] })
    const peer = new RawConsumer(runtime)
    peer.subscribe(worker)
    peer.ask(worker, 100)
    await settle(runtime)
    desk.finish(4, [40, 50])
    desk.finish(2, [])
    await settle(runtime)
    expect([peer.items, desk.begun.length]).toEqual([[], 3])
    desk.finish(0, [0, 10])
    await settle(runtime)
    expect([peer.items, desk.begun.length]).toEqual([[0, 10, 40, 50], 6])
  })

  it.each([
    [
      'rejects',
      'consumer_crash',
      (shop: Workshop): void => shop.desk.fail(2, new Error('no')),
      { type: 'error', error: new Error('no') },
    ],
    [
      'is under way when another callback throws',
      'consumer_crash',
      (shop: Workshop): void => shop.worker.send('crash'),
      { type: 'error', error: new Error('crash') },
    ],
    ['is under way when the stage is killed', 'killed', (shop: Workshop): void => void shop.worker.kill(), { type: 'killed' }],
  ] as const)('INV-10 GS-J5 if work %s, all that was in hand is reported once', async (_what, reported, act, reason) => {
    const { runtime } = recordedRuntime()
    const shop = openWorkshop(runtime)
    const { exited } = shop.worker
    await settle(runtime)
    act(shop)
    expect(await exited).toEqual(reason)
    await settle(runtime)
    expect(shop.lost).toEqual([[reported, [0, 1, 2, 3, 4, 5]]])
    for (const first of shop.desk.open) shop.desk.finish(first)
    await turn()
    expect(shop.lost).toHaveLength(1)
  })

  it.each(['fails', 'is killed'])('X21 with redeliver all that was under way goes back when the stage %s', async what => {
    const { runtime } = recordedRuntime()
    const shop = openWorkshop(runtime, { redeliver: true })
    const { exited } = shop.worker
    await settle(runtime)
    shop.desk.finish(2)
    await settle(runtime)
    expect(shop.desk.begun.at(-1)).toEqual([6, 7])
    if (what === 'fails') shop.desk.fail(4, new Error('no'))
    else void shop.worker.kill()
    await exited
    const peer = new RawConsumer(runtime)
    peer.subscribe(shop.from)
    peer.ask(shop.from, 8)
    await settle(runtime)
    expect([peer.items, shop.lost]).toEqual([[0, 1, 4, 5, 6, 7, 8, 9], []])
  })

  it('GS-L10 a stop finishes what is under way, takes nothing new, and then terminates', async () => {
    const { runtime } = recordedRuntime()
    const { desk, worker, seen, lost } = openWorkshop(runtime)
    await settle(runtime)
    const stopped = worker.stop()
    worker.send('too late')
    desk.finish(4)
    desk.finish(0)
    await settle(runtime)
    expect(seen).toEqual([])
    desk.finish(2)
    expect(await stopped).toEqual({ type: 'normal' })
    expect([seen, desk.begun.length, lost]).toEqual([['terminated normal'], 3, []])
  })

  it('GS-L10 work that fails while the stage stops is its failure', async () => {
    const { runtime } = recordedRuntime()
    const { desk, worker, lost } = openWorkshop(runtime)
    await settle(runtime)
    const stopped = worker.stop()
    desk.finish(0)
    desk.fail(2, new Error('no'))
    desk.finish(4)
    expect(await stopped).toEqual({ type: 'error', error: new Error('no') })
    expect(lost).toEqual([['consumer_crash', [2, 3, 4, 5]]])
  })

  it('GS-J5 work that gives up when told to stop is a graceful end, and what it did not do is reported', async () => {
    const { runtime } = recordedRuntime()
    const { desk, worker, seen, lost } = openWorkshop(runtime)
    await settle(runtime)
    const stopped = worker.stop()
    desk.fail(0, aborted())
    desk.finish(2)
    desk.fail(4, aborted())
    expect(await stopped).toEqual({ type: 'normal' })
    expect([seen, lost]).toEqual([['terminated normal'], [['stopped', [0, 1, 4, 5]]]])
  })

  it('GS-J5 results behind work that gave up still leave, in order', async () => {
    const { runtime } = recordedRuntime()
    const desk = new Desk()
    const Worker = producerConsumer(() => ({
      handleEvents: (events: readonly number[]) => inFlight(desk.begin(events)),
    }))
    const from = start(counter() as Numbers, { runtime })
    const worker = start(Worker, { runtime, subscribeTo: [{ to: from, maxDemand: 6, minDemand: 4 }] })
    const peer = new RawConsumer(runtime)
    peer.subscribe(worker)
    peer.ask(worker, 100)
    await settle(runtime)
    const stopped = worker.stop()
    desk.finish(4, [4])
    desk.finish(2, [2])
    desk.fail(0, aborted())
    expect(await stopped).toEqual({ type: 'normal' })
    expect(peer.items).toEqual([2, 4])
  })

  it('GS-J6 past its deadline a stop kills, whatever is under way', async () => {
    const { runtime } = recordedRuntime()
    const { worker, lost } = openWorkshop(runtime)
    await settle(runtime)
    expect(await worker.stop('normal', { timeout: 0 })).toEqual({ type: 'killed' })
    expect(lost).toEqual([['killed', [0, 1, 2, 3, 4, 5]]])
  })

  it.each([
    ['permanent', ['cancelled normal', 'terminated normal']],
    ['temporary', ['cancelled normal']],
  ] as const)('GS-K5 the end of a %s subscription waits for what came before it', async (cancel, told) => {
    const { runtime } = recordedRuntime()
    const { desk, from, seen, lost } = openWorkshop(runtime, { cancel })
    await settle(runtime)
    await from.stop()
    await settle(runtime)
    desk.finish(0)
    desk.finish(4)
    await settle(runtime)
    expect(seen).toEqual([])
    desk.finish(2)
    await settle(runtime)
    expect([seen, lost]).toEqual([told, []])
  })

  it('INV-18 a failure does not wait for its turn', async () => {
    const { runtime } = recordedRuntime()
    const desk = new Desk()
    const Worker = producerConsumer(() => ({
      handleEvents: (events: readonly number[]) => inFlight(desk.begin(events)),
    }))
    const from = start(counter() as Numbers, { runtime })
    const worker = start(Worker, { runtime, subscribeTo: [{ to: from, maxDemand: 6, minDemand: 4 }] })
    const { exited } = worker
    const peer = new RawConsumer(runtime)
    peer.subscribe(worker)
    peer.ask(worker, 100)
    await settle(runtime)
    desk.finish(0, [0])
    desk.fail(4, new Error('no'))
    expect(await exited).toEqual({ type: 'error', error: new Error('no') })
    expect(peer.items).toEqual([0])
  })

  it('GS-L10 a drain finishes what is under way', async () => {
    const { runtime } = recordedRuntime()
    const { desk, worker, seen, lost } = openWorkshop(runtime)
    await settle(runtime)
    const stopped = worker.stop('normal', { drain: true })
    await settle(runtime)
    for (const first of [4, 0, 2]) {
      expect(seen).not.toContain('terminated normal')
      desk.finish(first)
      await settle(runtime)
    }
    expect(await stopped).toEqual({ type: 'normal' })
    expect(lost).toEqual([])
  })

  it('GS-O2 tells of a batch as handled when it is done, with the time that it took', async () => {
    const { runtime } = recordedRuntime()
    const handled: number[] = []
    runtime.telemetry.on('handled', ({ callback, count, durationMs }) => {
      if (callback !== 'handleEvents') return
      expect(durationMs).toBeGreaterThanOrEqual(0)
      handled.push(count)
    })
    const { desk } = openWorkshop(runtime, { limit: 3 })
    await settle(runtime)
    expect([handled, desk.open]).toEqual([[], [0, 2]])
    desk.finish(2)
    await settle(runtime)
    expect(handled).toEqual([1])
    desk.finish(0)
    await settle(runtime)
    expect(handled).toEqual([1, 2])
  })

  it('GS-P6 a consumer emits nothing, in this way either', async () => {
    const { runtime, lines } = recordedRuntime()
    const { desk, lost } = openWorkshop(runtime)
    await settle(runtime)
    desk.finish(0, [7])
    await settle(runtime)
    expect(lost).toEqual([['consumer_emitted', [7]]])
    expect(lines.map(({ code }) => code)).toEqual(['consumer_cannot_emit'])
  })

  it('BAD-53 a result that is no list of events fails the stage', async () => {
    const { runtime } = recordedRuntime()
    const from = start(source(), { runtime })
    const Middle = producerConsumer(() => ({
      handleEvents: (_: readonly (number | string)[]) => inFlight(Promise.resolve('text' as unknown as readonly number[])),
    }))
    const middle = start(Middle, { runtime, subscribeTo: [from] })
    const { exited } = middle
    const peer = new RawConsumer(runtime)
    peer.subscribe(middle)
    peer.ask(middle, 1)
    await settle(runtime)
    from.cast([1])
    expect(await exited).toMatchObject({ type: 'error', error: { code: 'BAD_RETURN' } })
  })

  it('BAD-1 refuses what is no promise', () => {
    expect(() => inFlight(5 as never)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: 'inFlight: the result must be a promise, not 5' }),
    )
  })

  it('INV-5 INV-6 X21 every event is done once or goes back, in whatever order the work settles', async () => {
    const step = fc.record({ choose: fc.nat(5), action: fc.constantFrom('finish', 'finish', 'finish', 'fail', 'kill') })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        const { runtime } = recordedRuntime()
        const total = 40
        const from = start(counter([], total) as Numbers, { runtime })
        const out: number[] = []
        let desk = new Desk()
        const Worker = producerConsumer(() => ({
          handleEvents: (events: readonly number[]) => inFlight(desk.begin(events)),
        }))
        const hire = () => {
          desk = new Desk()
          const worker = start(Worker, { runtime, subscribeTo: [{ to: from, maxDemand: 6, minDemand: 4, redeliver: true }] })
          worker.monitor(() => {})
          const peer = new RawConsumer(runtime, worker.id)
          peer.subscribe(worker)
          peer.ask(worker, total * 2)
          return { worker, peer }
        }
        let { worker, peer } = hire()
        const finish = (first: number): void => desk.finish(first, desk.begun.find(batch => batch[0] === first) ?? [])
        for (const { choose, action } of steps) {
          await settle(runtime)
          const first = desk.open[choose % Math.max(1, desk.open.length)]
          if (first === undefined) break
          if (action === 'finish') finish(first)
          else {
            if (action === 'kill') await worker.kill()
            else desk.fail(first, new Error('planned'))
            await worker.exited
            await settle(runtime)
            out.push(...(peer.items as readonly number[]))
            ;({ worker, peer } = hire())
          }
        }
        for (await settle(runtime); desk.open.length > 0; await settle(runtime)) desk.open.forEach(finish)
        out.push(...(peer.items as readonly number[]))
        expect(out).toEqual(range(0, total))
        await runtime.stop({ timeout: 0 })
      }),
      { seed: 2_111, numRuns: 60 },
    )
  })
})
