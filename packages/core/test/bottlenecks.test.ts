import {
  bottlenecks,
  broadcastDispatcher,
  consumer,
  partitionDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  start,
  type Topology,
} from '@genstage/core'
import { Simulation } from '@genstage/testing'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

interface Pace {
  readonly simulation: Simulation
  readonly msPerEvent: number
}

const work = ({ simulation, msPerEvent }: Pace, events: number) => simulation.delay(events * msPerEvent)

const Source = producer.of<number>()((pace: Pace) => {
  let next = 0
  return {
    async handleDemand(demand) {
      await work(pace, demand)
      return Array.from({ length: demand }, () => next++)
    },
  }
})
const Middle = producerConsumer.of<number, number>()((pace: Pace) => ({
  async handleEvents(events) {
    await work(pace, events.length)
    return events
  },
}))
const Sink = consumer.of<number>()((pace: Pace) => ({ handleEvents: events => work(pace, events.length) }))

const names = (...pictures: readonly Topology[]) => bottlenecks(...pictures).map(({ name }) => name)

/** What is named after forty pictures, at uneven distances, of a world that has been running for a while. */
async function named(simulation: Simulation) {
  await simulation.advance(4_000)
  const pictures: Topology[] = []
  while (pictures.length < 40) {
    await simulation.advance(20 + 40 * simulation.random())
    pictures.push(simulation.runtime.topology())
  }
  return names(...pictures)
}

/** A source, stages in the middle and a sink, each with its pace, named by their places. */
function chain(simulation: Simulation, paces: readonly number[], maxDemand: number): void {
  const { runtime } = simulation
  let above: ProducerRef<number> | undefined
  for (const [place, msPerEvent] of paces.entries()) {
    const options = { runtime, name: `${place}`, arg: { simulation, msPerEvent } }
    const subscribeTo = above === undefined ? [] : [{ to: above, maxDemand }]
    if (above === undefined) above = start(Source, options)
    else if (place < paces.length - 1) above = start(Middle, { ...options, subscribeTo })
    else start(Sink, { ...options, subscribeTo })
  }
}

describe('bottlenecks', () => {
  it.each(
    [2, 10, 1_000].flatMap(maxDemand =>
      [0, 1, 2, 3].flatMap(place => [2, 10].map(factor => [place, factor, maxDemand] as const)),
    ),
  )('SYS-A10 names the slow stage: place %i of four is %i times slower, maxDemand %i', async (place, factor, maxDemand) => {
    const simulation = new Simulation()
    const msPerEvent = 10 / maxDemand
    chain(
      simulation,
      [0, 1, 2, 3].map(each => (each === place ? factor * msPerEvent : msPerEvent)),
      maxDemand,
    )
    expect(await named(simulation)).toEqual([`${place}`])
  })

  it('SYS-A10 names the slow stage of any chain', async () => {
    const paces = fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 2, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(paces, fc.nat(), fc.integer({ min: 8, max: 50 }), fc.nat(), async (others, at, maxDemand, seed) => {
        const simulation = new Simulation({ seed })
        const place = at % (others.length + 1)
        chain(simulation, [...others.slice(0, place), 3, ...others.slice(place)], maxDemand)
        expect(await named(simulation)).toEqual([`${place}`])
      }),
      { numRuns: 30 },
    )
  })

  const hash = (event: number) => event % 4
  const waysOut = {
    demand: () => undefined,
    broadcast: broadcastDispatcher,
    partition: () => partitionDispatcher({ partitions: 4, hash, maxQueued: 50 }),
  } as const

  it.each([
    ['demand', 0.1, 'sink'],
    ['demand', 5, 'source'],
    ['broadcast', 0.1, 'sink 2'],
    ['broadcast', 50, 'source'],
    ['partition', 0.1, 'sink 2'],
    ['partition', 50, 'source'],
  ] as const)('SYS-A10 behind a %s dispatcher whose source takes %d ms names the %s', async (kind, msPerEvent, expected) => {
    const simulation = new Simulation()
    const { runtime } = simulation
    const dispatcher = waysOut[kind]()
    const arg = { simulation, msPerEvent }
    const source = start(Source, { runtime, name: 'source', arg, ...(dispatcher !== undefined && { dispatcher }) })
    for (const [index, pace] of [1, 1, 20, 1].entries()) {
      const partition = kind === 'partition' && { partition: index }
      const subscribeTo = [{ to: source, maxDemand: 10, ...partition }]
      start(Sink, { runtime, name: `sink ${index}`, arg: { simulation, msPerEvent: pace }, subscribeTo })
    }
    // Where the work is shared all sinks have more than they can do
    expect(await named(simulation)).toEqual([expect.stringContaining(expected)])
  })

  it('SYS-A10 names a consumer of several producers that is slower than all of them', async () => {
    const simulation = new Simulation()
    const { runtime } = simulation
    const arg = { simulation, msPerEvent: 1 }
    const sources = ['a', 'b', 'c'].map(name => start(Source, { runtime, name, arg }))
    start(Sink, { runtime, name: 'sink', arg, subscribeTo: sources.map(to => ({ to, maxDemand: 10 })) })
    expect(await named(simulation)).toEqual(['sink'])
  })

  it('names one for each pipeline, in the order of their starts', async () => {
    const simulation = new Simulation()
    chain(simulation, [1, 10, 1], 10)
    const { runtime } = simulation
    const silent = start(
      producer.of<number>()(() => ({ handleDemand() {} })),
      { runtime, name: 'silent' },
    )
    start(Sink, { runtime, name: 'idle', arg: { simulation, msPerEvent: 1 }, subscribeTo: [silent] })
    start(Source, { runtime, name: 'alone', arg: { simulation, msPerEvent: 1 } })
    expect(await named(simulation)).toEqual(['1', 'silent'])
  })

  it('names a consumer that does not ask, and no stage where a reader is slow', async () => {
    const simulation = new Simulation()
    const { runtime } = simulation
    const arg = { simulation, msPerEvent: 0 }
    const source = start(Source, { runtime, name: 'source', arg })
    const Lazy = consumer.of<number>()(() => ({ handleSubscribe: () => 'manual', handleEvents() {} }))
    start(Lazy, { runtime, name: 'lazy', subscribeTo: [source] })
    const read = start(Source, { runtime, name: 'read', arg })
    const iterator = read.stream({ maxDemand: 4 })[Symbol.asyncIterator]()
    const first = iterator.next()
    expect(await named(simulation)).toEqual(['lazy'])
    expect(await first).toEqual({ value: 0, done: false })
    const closed = iterator.return?.()
    await simulation.settle()
    await closed
  })

  it('takes what it was given, also from a picture that was sent elsewhere', async () => {
    const simulation = new Simulation()
    chain(simulation, [1, 10, 1], 10)
    await simulation.advance(1_000)
    const picture = simulation.runtime.topology()
    const sent = JSON.parse(JSON.stringify(picture)) as Topology
    expect(bottlenecks(sent)).toEqual(bottlenecks(picture))
    expect([bottlenecks(), bottlenecks({ stages: picture.stages, edges: [] })]).toEqual([[], []])
  })
})
