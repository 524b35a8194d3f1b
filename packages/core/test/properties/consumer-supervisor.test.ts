import { consumerSupervisor, producer, start } from '@genstage/core'
import type { ConsumerSupervisorOptions, Edge } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** How each try of an event ends, and after how long. */
interface Work {
  readonly ms: number
  /** How many tries fail before one goes well. */
  readonly failures: number
  /** Whether it fails, or ends, without a promise. */
  readonly isSync: boolean
}

interface Plan {
  readonly seed: number
  readonly works: readonly Work[]
  readonly limits: readonly { readonly max: number; readonly min: number | undefined }[]
  readonly options: ConsumerSupervisorOptions
  /** When somebody stops it, and how. */
  readonly stop: { readonly at: number; readonly how: 'stop' | 'drain' | 'kill' } | undefined
}

const limits = fc
  .integer({ min: 1, max: 6 })
  .chain(max => fc.record({ max: fc.constant(max), min: fc.option(fc.nat(max - 1), { nil: undefined }) }))
const works = fc.record({
  ms: fc.nat(20),
  failures: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  isSync: fc.boolean(),
})
const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  works: fc.array(works, { maxLength: 40, size: 'max' }),
  limits: fc.array(limits, { minLength: 1, maxLength: 3 }),
  options: fc.record({
    restart: fc.constantFrom('transient', 'temporary'),
    shutdown: fc.constantFrom(0, 5, 'infinity' as const, 'brutal_kill' as const),
    maxRestarts: fc.constantFrom(0, 3, Infinity),
    backoff: fc.constantFrom({ minDelayMs: 1, maxDelayMs: 8 }, { minDelayMs: 3, maxDelayMs: 3 }),
  }),
  stop: fc.option(fc.record({ at: fc.nat(60), how: fc.constantFrom('stop', 'drain', 'kill') }), { nil: undefined }),
})

/** What became of every event, after one simulated run. */
async function run(plan: Plan) {
  const simulation = new Simulation({ seed: plan.seed })
  const { runtime } = simulation
  const tries = new Map<number, number>()
  const done: number[] = []
  const lost: number[] = []
  const running = plan.limits.map(() => 0)
  const most = plan.limits.map(() => 0)
  runtime.telemetry.on('discarded', ({ events }) => lost.push(...(events as number[])))
  const task = (event: number): Promise<void> | undefined => {
    const { ms, failures, isSync } = plan.works[event] ?? { ms: 0, failures: 0, isSync: true }
    const attempt = tries.get(event) ?? 0
    tries.set(event, attempt + 1)
    const end = (): void => {
      if (attempt < failures) throw new Error(`try ${attempt} of ${event}`)
      done.push(event)
    }
    if (isSync) {
      end()
      return undefined
    }
    const source = event % plan.limits.length
    most[source] = Math.max(most[source] ?? 0, (running[source] = (running[source] ?? 0) + 1))
    return simulation.delay(ms).then(() => {
      running[source] = (running[source] ?? 0) - 1
      end()
    })
  }
  const sources = plan.limits.map((limit, index) => {
    const mine = plan.works.map((_, event) => event).filter(event => event % plan.limits.length === index)
    return start(
      producer(() => ({ handleDemand: demand => mine.splice(0, demand) })),
      { runtime },
    )
  })
  const supervisor = start(consumerSupervisor(task, plan.options), {
    runtime,
    subscribeTo: plan.limits.map(({ max, min }, index) => ({
      to: sources[index] as (typeof sources)[number],
      maxDemand: max,
      cancel: 'temporary' as const,
      ...(min === undefined ? {} : { minDemand: min }),
    })),
  })
  const exited = supervisor.exited
  const { stop } = plan
  if (stop !== undefined) {
    runtime.clock.setTimer(stop.at, () => {
      if (stop.how === 'kill') void supervisor.kill()
      else void supervisor.stop('normal', { drain: stop.how === 'drain' })
    })
  }
  const over: Edge[] = []
  await runMixed(simulation, () => {
    for (const edge of runtime.topology().edges) {
      const { max } = plan.limits[sources.findIndex(source => source.id === edge.producer)] ?? { max: 0 }
      if (edge.demand + edge.inFlight > max) over.push(edge)
    }
  })
  const children = supervisor.children()
  for (const source of sources) void source.stop()
  void supervisor.stop()
  await simulation.run()
  await exited
  return { simulation, tries, done, lost, most, over, children }
}

/** Messages, promises and timers in any order: ends of tasks come between an ask and its events, and while a stop is under way. */
async function runMixed(simulation: Simulation, onStep: () => void): Promise<void> {
  for (let quiet = 0; quiet < 2;) {
    const chance = simulation.random()
    const isBusy = chance < 0.6 ? simulation.step() : chance < 0.8 && simulation.clock.fireNext()
    onStep()
    if (!isBusy) await simulation.flush()
    quiet = isBusy || !simulation.isIdle || simulation.clock.nextAt !== undefined ? 0 : quiet + 1
  }
}

describe('a consumer supervisor in any order of messages', () => {
  it(
    'X15 INV-6 INV-17 INV-20 INV-21 never runs more than maxDemand of a producer at once, and finishes, loses and reports each event once',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(plans, async plan => {
          const { simulation, tries, done, lost, most, over, children } = await run(plan)
          expect(over).toEqual([])
          for (const [index, { max }] of plan.limits.entries()) expect(most[index]).toBeLessThanOrEqual(max)
          // No event has two fates, and each that was begun has one
          const fates = [...done, ...lost]
          const reported = new Set(lost)
          expect(new Set(lost).size).toBe(lost.length)
          expect(new Set(done).size).toBe(done.length)
          for (const event of tries.keys()) expect(fates).toContain(event)
          // What was reported may still have ended by itself, too late: nothing else may be in both
          const gaveUp = simulation.log.some(({ message }) => message.includes('gives up'))
          if (plan.stop === undefined && !gaveUp) {
            expect(children).toEqual([])
            expect(done.filter(event => reported.has(event))).toEqual([])
            const { restart } = plan.options
            const expected = plan.works.flatMap(({ failures }, event) =>
              restart === 'transient' || failures === 0 ? [event] : [],
            )
            expect(done.toSorted((a, b) => a - b)).toEqual(expected)
            expect(fates.toSorted((a, b) => a - b)).toEqual(plan.works.map((_, event) => event))
          }
          expect(simulation.log.some(({ fields }) => fields['code'] === 'excess')).toBe(false)
          // One line for each try that failed while somebody listened
          const lines = simulation.log.filter(({ fields }) =>
            ['child_failed', 'restarting', 'stage_failed'].includes(String(fields['code'])),
          )
          const failures = [...tries].reduce((sum, [event, count]) => sum + Math.min(count, plan.works[event]?.failures ?? 0), 0)
          expect(lines.length).toBeLessThanOrEqual(failures)
          if (plan.stop === undefined && !gaveUp) expect(lines.length).toBe(failures)
          if (plan.stop !== undefined) expect(children).toEqual([])
          expect(simulation.clock.nextAt).toBeUndefined()
          expect(simulation.runtime.topology().stages).toEqual([])
          expect(simulation.uncaught.every(({ code }) => code === 'TOO_MANY_RESTARTS')).toBe(true)
        }),
        { numRuns: 1_000 },
      )
    },
  )
})
