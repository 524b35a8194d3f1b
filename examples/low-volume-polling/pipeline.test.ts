import { bottlenecks } from '@genstage/core'
import type { Topology } from '@genstage/core'
import { describe, expect, test } from 'vitest'
import { randomFrom } from '../shared/random.ts'
import { Desk } from './pipeline.ts'
import { everyMs, expectedIds, found, idsOf, simulate } from './simulated.ts'
import type { Options } from './simulated.ts'

const many = (source: string, count: number) => found(source, ...Array.from({ length: count }, (_, n) => n - 3))

/** Nothing of the pipeline is left, and nothing has gone wrong unseen. */
function expectEnd({ simulation, runtime }: ReturnType<typeof simulate>) {
  expect(runtime.topology().stages).toEqual([])
  expect(simulation.timers).toBe(0)
  expect(simulation.uncaught).toEqual([])
}

/** All edges of the picture, by the names of the stages. */
function edgesOf({ stages, edges }: Topology) {
  const names = new Map(stages.map(({ id, name }) => [id, name]))
  return new Map(edges.map(edge => [`${names.get(edge.producer)} ${names.get(edge.consumer)}`, edge]))
}

describe('SYS-A6 numbers', () => {
  test('of four sources come together, lose those without a root, and go on in batches', async () => {
    const pipeline = simulate()
    const { simulation, runtime, waiting, shown, written, posted, drain } = pipeline
    const [east, west, table, desk] = [many('east', 20), many('west', 20), many('table', 9), many('desk', 9)]
    waiting.east.push(...east)
    waiting.west.push(...west)
    waiting.table.push(...table)
    await simulation.settle()
    runtime.whereis(Desk)?.cast(desk)
    await simulation.advance(10_000)
    await drain()
    const ids = expectedIds(east, west, table, desk)
    expect(ids).toHaveLength(58 - 4 * 3)
    for (const roots of [shown, written.flat(), posted.flat()]) expect(idsOf(roots)).toEqual(ids)
    for (const { number, root } of shown) expect(root).toBe(Math.sqrt(number))
    for (const batches of [written, posted]) expect(Math.max(...batches.map(batch => batch.length))).toBe(5)
    expectEnd(pipeline)
  })

  test('wait half a second for a batch that is not full, and not at all at the end', async () => {
    const pipeline = simulate({ workMs: 0 })
    const { simulation, runtime, written, drain } = pipeline
    await simulation.settle()
    runtime.whereis(Desk)?.cast(found('desk', 1, 9))
    await simulation.advance(499)
    expect(written).toEqual([])
    await simulation.advance(1)
    expect(written).toMatchObject([[{ root: 1 }, { root: 3 }]])
    runtime.whereis(Desk)?.cast(found('desk', 25))
    await simulation.settle()
    await drain()
    expect(written).toMatchObject([[{ root: 1 }, { root: 3 }], [{ root: 5 }]])
    expectEnd(pipeline)
  })

  test.each([1, 2, 3, 4, 5])('that are under way at the end are finished: order %i', async seed => {
    const pipeline = simulate({ seed, fetchMs: 30, workMs: 50, postMs: 70 })
    const { simulation, waiting, shown, written, posted, drain } = pipeline
    const [east, west] = [many('east', 200), many('west', 200)]
    waiting.east.push(...east)
    waiting.west.push(...west)
    await simulation.advance(777 + 31 * seed)
    await drain()
    const ids = expectedIds(east.slice(0, -waiting.east.length), west.slice(0, -waiting.west.length))
    expect(ids.length).toBeGreaterThan(5)
    for (const roots of [shown, written.flat(), posted.flat()]) expect(idsOf(roots)).toEqual(ids)
    expectEnd(pipeline)
  })
})

describe('SYS-A7 a small demand', () => {
  test('leaves the numbers on the servers while the work is slow', async () => {
    const { simulation, runtime, waiting } = simulate({ outside: { process: () => new Promise(() => {}) } })
    const edges = () => edgesOf(runtime.topology())
    await simulation.settle()
    expect(['east', 'west', 'table', 'desk'].map(name => edges().get(`${name} numbers`)?.demand)).toEqual([4, 4, 4, 4])
    expect(['worker-0', 'worker-1'].map(name => edges().get(`numbers ${name}`)?.demand)).toEqual([2, 2])
    expect(['poster-0', 'poster-1'].map(name => edges().get(`posts ${name}`)?.demand)).toEqual([1, 1])
    waiting.east.push(...found('east', ...Array.from({ length: 100 }, () => 1)))
    await simulation.advance(600_000)
    // Four before the filter, two with the worker, and two for it that the other one has asked for.
    expect(100 - waiting.east.length).toBe(4 + 2 + 2)
    expect(edges().get('east numbers')).toMatchObject({ demand: 0, inFlight: 4 })
  })
})

describe('SYS-A9 the supervisor', () => {
  const order = 'east west table desk numbers worker-0 worker-1 lines file posts poster-0 poster-1 screen'.split(' ')

  test('starts producers before those that ask them', async () => {
    const pipeline = simulate()
    const { simulation, runtime, root, drain } = pipeline
    const started: (string | undefined)[] = []
    runtime.telemetry.on('started', ({ name }) => started.push(name))
    await simulation.settle()
    expect(started.filter(name => name !== 'root')).toEqual(order)
    expect(root.children().map(({ id }) => id)).toEqual(order)
    await drain()
    expectEnd(pipeline)
  })

  test.each(order)('starts a stage again, and its subscriptions are made again by themselves: %s', async name => {
    const pipeline = simulate()
    const { simulation, runtime, waiting, shown, written, posted, restarts, drain } = pipeline
    await simulation.settle()
    const before = [...edgesOf(runtime.topology()).keys()]
    void runtime.whereis(name)?.kill()
    // Each try to subscribe again waits twice as long as the one before.
    await simulation.advance(2 * everyMs)
    expect(restarts).toEqual([name])
    expect([...edgesOf(runtime.topology()).keys()].toSorted()).toEqual(before.toSorted())

    const [east, west, table, desk] = [many('east', 9), many('west', 9), many('table', 9), many('desk', 9)]
    waiting.east.push(...east)
    waiting.west.push(...west)
    waiting.table.push(...table)
    runtime.whereis(Desk)?.cast(desk)
    await simulation.advance(10_000)
    await drain()
    for (const roots of [shown, written.flat(), posted.flat()]) expect(idsOf(roots)).toEqual(expectedIds(east, west, table, desk))
    expectEnd(pipeline)
  })

  test.each([1, 2, 3, 4, 5])('loses nothing when servers and the API fail again and again: accidents %i', async seed => {
    const random = randomFrom(seed)
    const pipeline = simulate({
      seed,
      mayFail() {
        if (random() < 0.1) throw new Error('no answer')
      },
    })
    const { simulation, waiting, shown, written, posted, restarts, drain } = pipeline
    const [east, west, table] = [many('east', 40), many('west', 40), many('table', 40)]
    waiting.east.push(...east)
    waiting.west.push(...west)
    waiting.table.push(...table)
    await simulation.advance(120_000)
    expect(restarts.length).toBeGreaterThan(5)
    await drain()
    for (const roots of [shown, written.flat(), posted.flat()]) expect(idsOf(roots)).toEqual(expectedIds(east, west, table))
    expectEnd(pipeline)
  })

  test.each([1, 2, 3])('goes on, whoever is killed in the middle of the work: order %i', async seed => {
    const pipeline = simulate({ seed, workMs: 30 })
    const { simulation, runtime, waiting, shown, written, posted, restarts, drain } = pipeline
    waiting.east.push(...found('east', ...Array.from({ length: 10_000 }, (_, n) => n)))
    for (const name of order) {
      await simulation.advance(1_000 + 7 * seed)
      void runtime.whereis(name)?.kill()
    }
    await simulation.advance(20_000)
    expect(restarts.toSorted()).toEqual(order.toSorted())
    const counts = () => [shown, written.flat(), posted.flat()].map(roots => roots.length)
    const before = counts()
    await simulation.advance(10_000)
    counts().forEach((count, n) => expect(count - (before[n] ?? 0)).toBeGreaterThan(500))
    await drain()
    expectEnd(pipeline)
  })

  test('a worker that fails gets the numbers again that it had in hand', async () => {
    let failures = 3
    const pipeline = simulate({
      outside: {
        async process(number) {
          if (number === 5 && failures-- > 0) throw new Error('out of paper')
          return Math.sqrt(number)
        },
      },
    })
    const { simulation, waiting, shown, written, restarts, drain } = pipeline
    const east = found('east', 1, 3, 5, 7, 9, 2, 4)
    waiting.east.push(...east)
    await simulation.advance(60_000)
    expect(restarts).toEqual(['worker-1', 'worker-1', 'worker-1'])
    await drain()
    for (const roots of [shown, written.flat()]) expect(idsOf(roots)).toEqual(expectedIds(east))
    expectEnd(pipeline)
  })
})

describe('SYS-A10 pictures of a busy pipeline', () => {
  /** What is seen in half a minute. */
  async function lookAt(options: Options) {
    const { simulation, runtime, waiting } = simulate(options)
    waiting.east.push(...found('east', ...Array.from({ length: 10_000 }, (_, n) => n)))
    const pictures: Topology[] = []
    for (let n = 0; n < 60; n++) {
      await simulation.advance(497)
      pictures.push(runtime.topology())
    }
    const edge = (name: string) => pictures.map(picture => edgesOf(picture).get(name)).filter(each => each !== undefined)
    return {
      bottleneck: bottlenecks(...pictures).map(({ name }) => name),
      /** The subscription as it was last. */
      last: (name: string) => edge(name).at(-1),
      /** Events per second, on average. */
      rate: (name: string) => edge(name).reduce((sum, { rate }) => sum + rate, 0) / pictures.length,
    }
  }

  test('show a slow API, and how it holds up all above it', async () => {
    const { bottleneck, last, rate } = await lookAt({ postMs: 2_000 })
    expect(['poster-0', 'poster-1']).toContain(bottleneck.join())
    // Everything that was asked for has arrived, and waits.
    for (const poster of ['posts poster-0', 'posts poster-1']) expect(last(poster)).toMatchObject({ demand: 0, inFlight: 1 })
    expect(last('worker-0 posts')).toMatchObject({ demand: 0, inFlight: 10 })
    expect(last('east numbers')).toMatchObject({ demand: 0, inFlight: 4 })
    // Who is quick waits for events.
    expect(last('worker-0 screen')).toMatchObject({ demand: 10, inFlight: 0 })
    // Two posters, a batch of five every two seconds each.
    expect(rate('posts poster-0') + rate('posts poster-1')).toBeCloseTo(1, 0)
    expect(rate('east numbers')).toBeCloseTo(6, 0)
  })

  test('show slow work', async () => {
    const { bottleneck, last, rate } = await lookAt({ workMs: 200 })
    expect(['worker-0', 'worker-1']).toContain(bottleneck.join())
    expect(last('numbers worker-0')).toMatchObject({ demand: 0, inFlight: 2 })
    expect(rate('numbers worker-0')).toBeCloseTo(5, 0)
  })

  test('show a slow source: all others wait for it', async () => {
    const { bottleneck, last } = await lookAt({ fetchMs: 200 })
    expect(bottleneck).toEqual(['east'])
    expect(last('numbers worker-0')).toMatchObject({ inFlight: 0 })
  })
})

describe('SYS-A2 with nothing to do', () => {
  test('nothing is busy: a timer for each poll, and no other', async () => {
    const { simulation, runtime, waiting, asked } = simulate({ fetchMs: 0 })
    waiting.east.push(...many('east', 20))
    waiting.table.push(...many('table', 20))
    await simulation.advance(20_000)
    const callbacks: string[] = []
    runtime.telemetry.on('handled', ({ name, callback }) => callbacks.push(`${name} ${callback}`))
    const polls = () => asked.east.length + asked.west.length + asked.table.length
    const [pollsBefore, stepsBefore] = [polls(), simulation.steps]
    await simulation.advance(60 * 60_000)
    expect(polls() - pollsBefore).toBe(3 * 1_800)
    expect(callbacks).toEqual([])
    // The message that it is time, and the answer.
    expect(simulation.steps - stepsBefore).toBe(2 * 3 * 1_800)
    expect(simulation.timers).toBe(3)
  })
})
