import { Simulation } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import { fetchAll } from './pipeline.ts'
import { requestWindow } from './request-window.ts'

const places = (count: number) => Array.from({ length: count }, (_, place) => place)

/** Fetches in virtual time from a service that answers after between 10 and 60 ms. */
function fetching(
  count: number,
  options: { readonly limit: number; readonly perMs: number; readonly atOnce: number; readonly isLimited?: boolean },
) {
  const { limit, perMs, atOnce, isLimited = true } = options
  const simulation = new Simulation({ seed: count })
  const { runtime, clock, random } = simulation
  const requests = requestWindow(limit, perMs)
  const asked: number[] = []
  const stopping = new AbortController()
  const outcome = { isDone: false }
  const ask = async (place: number) => {
    requests.begin(clock.now())
    asked.push(place)
    await simulation.delay(10 + 50 * random())
    requests.end()
  }
  const rate = isLimited ? { events: limit, perMs } : undefined
  const done = fetchAll(runtime, { places: places(count), ask, rate, atOnce, signal: stopping.signal })
  void done.then(() => (outcome.isDone = true))
  return { simulation, requests, asked, stopping, outcome }
}

describe('fetching', () => {
  test.each([
    { limit: 50, perMs: 250, atOnce: 20 },
    { limit: 7, perMs: 1_000, atOnce: 3 },
    { limit: 10, perMs: 100, atOnce: 100 },
    { limit: 1, perMs: 50, atOnce: 5 },
  ])('asks about each place once, and never too fast: %j', async options => {
    const { simulation, requests, asked, outcome } = fetching(500, options)
    await simulation.run()
    expect(outcome.isDone).toBe(true)
    expect(asked.toSorted((a, b) => a - b)).toEqual(places(500))
    expect(requests.violations).toBe(0)
    expect(requests.mostAtOnce).toBeLessThanOrEqual(options.atOnce)
    expect(simulation.uncaught).toEqual([])
  })

  test('is as fast as the service allows', async () => {
    const { simulation, requests } = fetching(500, { limit: 50, perMs: 250, atOnce: 50 })
    await simulation.run()
    expect(requests.most).toBe(50)
    // Ten windows of 50: the last one begins when nine have passed.
    expect(requests.times.at(-1)).toBeLessThanOrEqual(9 * 250 + 60)
  })

  test('without the limit is too fast', async () => {
    const { simulation, requests } = fetching(500, { limit: 50, perMs: 250, atOnce: 50, isLimited: false })
    await simulation.run()
    expect(requests.violations).toBeGreaterThan(0)
  })

  test('stops when it is told to, and finishes what is under way', async () => {
    const { simulation, requests, asked, stopping, outcome } = fetching(500, { limit: 50, perMs: 250, atOnce: 20 })
    await simulation.advance(260)
    stopping.abort()
    const begun = asked.length
    expect(begun).toBeGreaterThan(50)
    await simulation.run()
    expect(outcome.isDone).toBe(true)
    expect(asked.length).toBeLessThanOrEqual(begun + 20)
    expect(requests.begin(simulation.clock.now())).toBe(true)
    expect(requests.mostAtOnce).toBeLessThanOrEqual(20)
  })
})
