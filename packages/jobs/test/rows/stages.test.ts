import { broadcastDispatcher, consumer, fromIterable, type ProducerRef, start } from '@genstage/core'
import { buffering, polling, rateLimited } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { type JobClient, type Kind, kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

// Stages in front of jobs: sources that are polled, limited, buffered or broadcast, whose events become jobs (ROW-G13, 15, 16, ROW-L).

/** Starts a consumer that enqueues a job for each event it gets. */
function enqueuing<Args>(
  world: World,
  client: JobClient,
  of: Kind<Args>,
  from: readonly ProducerRef<Args>[],
  maxDemand: number = 10,
) {
  const Enqueue = consumer(() => ({
    async handleEvents(events: readonly Args[]) {
      await client.enqueueMany(of, events)
    },
  }))
  return start(Enqueue, {
    runtime: world.simulation.runtime,
    subscribeTo: from.map(to => ({ to, maxDemand, cancel: 'temporary' as const })),
  })
}

/** Keeps when each job began. */
function numbered(world: World) {
  const seen: { n: number; at: number }[] = []
  const Note = kind('note', (n: number) => void seen.push({ n, at: world.now }))
  return { seen, Note }
}

describe('stages in front of jobs', () => {
  it('ROW-G13 broadcast: each consumer makes its own job of every event', async () => {
    const world = new World()
    const { runtime } = world.simulation
    const seen: string[] = []
    const Bill = kind('bill', (order: number) => void seen.push(`bill ${order}`))
    const Ship = kind('ship', (order: number) => void seen.push(`ship ${order}`))
    const runner = await world.runner([Bill, Ship], { default: 1 })
    const orders = start(fromIterable([1, 2, 3]), { runtime, dispatcher: broadcastDispatcher(), demand: 'accumulate' })
    enqueuing(world, runner, Bill, [orders])
    enqueuing(world, runner, Ship, [orders])
    await world.settle()
    orders.setDemandMode('forward')
    await world.advance(100)
    expect(seen.sort()).toEqual(['bill 1', 'bill 2', 'bill 3', 'ship 1', 'ship 2', 'ship 3'])
    await world.close()
  })

  it('ROW-G15 a limited source: at most so many jobs a second are made', async () => {
    const world = new World()
    const { runtime } = world.simulation
    const { seen, Note } = numbered(world)
    const runner = await world.runner([Note], { default: 10 })
    const source = start(fromIterable(Array.from({ length: 25 }, (_, n) => n)), { runtime })
    const limit = start(rateLimited<number>({ events: 10, perMs: 1_000 }), { runtime, subscribeTo: [source] })
    enqueuing(world, runner, Note, [limit])
    await world.advance(900)
    expect(seen).toHaveLength(10)
    await world.advance(10_000)
    expect(seen).toHaveLength(25)
    for (const { at } of seen)
      expect(seen.filter(other => other.at > at - 1_000 && other.at <= at).length).toBeLessThanOrEqual(10)
    await world.close()
  })

  it('ROW-G16 a buffering source keeps what is not wanted yet, and refills as jobs are made', async () => {
    const world = new World()
    const { runtime } = world.simulation
    const { seen, Note } = numbered(world)
    const runner = await world.runner([Note], { default: 1 })
    const inbox = start(buffering<number>({ size: 100 }), { runtime })
    inbox.cast(Array.from({ length: 40 }, (_, n) => n))
    await world.settle()
    expect(seen).toEqual([])
    enqueuing(world, runner, Note, [inbox], 5)
    await world.advance(10)
    expect(seen.map(({ n }) => n)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    await world.settled(inbox.stop())
    await world.close()
  })
})

describe('a source of low volume (ROW-L)', () => {
  /** A mailbox that is asked every 2 seconds. */
  async function post(options: { readonly maxDemand?: number } = {}) {
    const world = new World()
    const { runtime } = world.simulation
    const { seen, Note } = numbered(world)
    const runner = await world.runner([Note], { default: 1 })
    const mailbox: number[] = []
    const polls: number[] = []
    const source = (from: number[]) =>
      start(
        polling(
          async () => {
            polls.push(world.now)
            return from.shift()
          },
          { everyMs: 2_000 },
        ),
        { runtime },
      )
    const mails = source(mailbox)
    const sink = (from: readonly ProducerRef<number>[] = [mails]) => enqueuing(world, runner, Note, from, options.maxDemand)
    const close = async (...sources: readonly { stop(): Promise<unknown> }[]): Promise<void> => {
      for (const each of [mails, ...sources]) await world.settled(each.stop())
      await world.close()
    }
    return { world, mailbox, polls, seen, mails, source, sink, close }
  }

  it('ROW-L1 it is polled every 2 s, read until it is empty, then left alone', async () => {
    const { world, mailbox, polls, seen, sink, close } = await post()
    mailbox.push(1, 2, 3)
    sink()
    await world.advance(100)
    expect([polls.length, seen.map(({ n }) => n)]).toEqual([4, [1, 2, 3]])
    await world.advance(10_000)
    expect(polls.slice(4)).toEqual([2_000, 4_000, 6_000, 8_000, 10_000])
    await close()
  })

  it('ROW-L2 demand alone fetches nothing; what is found later goes to who was waiting', async () => {
    const { world, mailbox, seen, sink, close } = await post({ maxDemand: 2 })
    sink()
    await world.advance(61_000)
    mailbox.push(7, 8, 9)
    await world.advance(2_000)
    expect(seen.map(({ n, at }) => [n, at])).toEqual([[7, 62_000], [8, 62_000], [9, 62_000]]) // prettier-ignore
    await close()
  })

  it('ROW-L3 with about 100 events an hour, and hours without one, nothing is busy and nothing grows', async () => {
    const { world, mailbox, polls, seen, sink, close } = await post()
    sink()
    await world.advance(0)
    const { timers } = world.simulation
    for (let event = 0; event < 100; event++) {
      await world.advance(36_000)
      mailbox.push(event)
    }
    await world.advance(3 * 3_600_000)
    expect(seen).toHaveLength(100)
    expect(polls.length).toBeLessThanOrEqual(4 * 1_800 + 100 + 5)
    expect(world.simulation.timers).toBeLessThanOrEqual(timers + 1)
    await close()
  }, 60_000)

  it('ROW-L4 what is done is a plain function, which a test calls without any of this', async () => {
    const total = (sum: number, n: number): number => sum + n
    expect(total(1, 2)).toBe(3)
    const world = new World()
    const Total = kind('total', (numbers: readonly number[]) => numbers.reduce(total, 0))
    const runner = await world.runner([Total])
    const job = await world.settled(runner.enqueue(Total, [1, 2, 3]))
    expect(await world.settled(job.result())).toBe(6)
    await world.close()
  })

  it('ROW-L5 the source starts before the consumer, and several sources go into one', async () => {
    const { world, mailbox, seen, mails, source, sink, close } = await post()
    const others = [[100], [200, 201]].map(source)
    mailbox.push(1)
    await world.advance(10_000)
    expect(seen).toEqual([])
    sink([mails, ...others])
    await world.advance(100)
    expect(seen.map(({ n }) => n).sort((a, b) => a - b)).toEqual([1, 100, 200, 201])
    await close(...others)
  })

  it('ROW-L6 the first demand can be small', async () => {
    const { world, mailbox, polls, sink, close } = await post({ maxDemand: 1 })
    mailbox.push(1, 2, 3)
    let isSlow = true
    world.before('insert', () => (isSlow ? world.delay(500) : undefined))
    sink()
    await world.advance(400)
    expect([polls.length, mailbox]).toEqual([1, [2, 3]])
    isSlow = false
    await world.advance(1_000)
    expect(mailbox).toEqual([])
    await close()
  })

  it('ROW-L7 the first request drains what has piled up; then events come one by one', async () => {
    const { world, mailbox, seen, sink, close } = await post()
    mailbox.push(...Array.from({ length: 30 }, (_, n) => n))
    await world.advance(60_000)
    sink()
    await world.advance(1)
    expect(seen).toHaveLength(30)
    for (let n = 30; n < 33; n++) {
      mailbox.push(n)
      await world.advance(2_000)
      expect(seen.at(-1)?.n).toBe(n)
    }
    await close()
  })
})
