import { type ChildPlan, runTopology, runTree, type StagePlan, type TopologyPlan, type TreePlan } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { consumer, middle, producer, subscription } from './explored-plans.ts'

const seed = 53

const topologies: Readonly<Record<string, Omit<TopologyPlan, 'actions'>>> = {
  'a chain': {
    stages: [producer(12), middle({ handler: 'async' }), consumer()],
    subscriptions: [subscription(1, 0, { maxDemand: 4, minDemand: 2 }), subscription(2, 1, { maxDemand: 3 })],
  },
  'a broadcast': {
    stages: [producer(8, { dispatcher: 'broadcast' }), consumer(), consumer({ handler: 'async' })],
    subscriptions: [subscription(1, 0, { maxDemand: 2 }), subscription(2, 0, { maxDemand: 3, cancel: 'permanent' })],
  },
  'partitions below a stage in the middle': {
    stages: [producer(12), middle({ dispatcher: 'partition', transform: 'twice' }), consumer(), consumer()],
    subscriptions: [
      subscription(1, 0, { maxDemand: 4, cancel: 'permanent' }),
      subscription(2, 1, { maxDemand: 3, cancel: 'transient' }),
      subscription(3, 1, { maxDemand: 2, partition: 1 }),
    ],
  },
  'a consumer that never settles beside another': {
    stages: [producer(12), consumer({ handler: 'never', failAt: 2 }), consumer()],
    subscriptions: [subscription(1, 0, { maxDemand: 2 }), subscription(2, 0, { maxDemand: 2 })],
  },
}

/** A run with nothing done to it tells how many steps there are. */
async function each(
  stages: readonly StagePlan[],
  steps: number,
  run: (step: number, stage: number) => Promise<readonly string[]>,
) {
  const violations: string[] = []
  for (const stage of stages.keys())
    for (let step = 0; step <= steps; step++)
      for (const violation of await run(step, stage)) violations.push(`stage ${stage} at step ${step}: ${violation}`)
  return violations
}

describe('a crash at every step', () => {
  it.each(Object.entries(topologies))('F53 INV-6 INV-13 INV-18 INV-19 in %s', { timeout: 60_000 }, async (_, plan) => {
    const { steps } = await runTopology({ ...plan, actions: [] }, { seed })
    const violations = await each(plan.stages, steps, async (count, stage) => {
      const actions = [{ type: 'steps', count }, { type: 'crash', stage }, { type: 'settle' }] as const
      return (await runTopology({ ...plan, actions }, { seed })).violations
    })
    expect(steps).toBeGreaterThan(20)
    expect(violations).toEqual([])
  })

  it.each(['one_for_one', 'one_for_all', 'rest_for_one'] as const)(
    'F53 INV-6 INV-17 INV-18 INV-20 INV-21 below supervisors (%s)',
    { timeout: 120_000 },
    async strategy => {
      const stages = [producer(12), middle({ handler: 'async' }), consumer(), consumer()]
      const leaf = (stage: number): ChildPlan => ({ stage, restart: 'permanent', shutdown: 100 })
      const intensity = { maxRestarts: 3, maxSeconds: 5, backoffMs: 0, strategy }
      const plan: Omit<TreePlan, 'actions'> = {
        stages,
        subscriptions: [
          subscription(1, 0, { maxDemand: 4, minDemand: 2 }),
          subscription(2, 1, { maxDemand: 3, cancel: 'permanent' }),
          subscription(3, 1, { maxDemand: 2 }),
        ],
        root: {
          ...intensity,
          children: [
            leaf(0),
            { supervisor: { ...intensity, children: [leaf(1), leaf(2)] }, restart: 'permanent', shutdown: 'infinity' },
            leaf(3),
          ],
        },
      }
      const { steps } = await runTree({ ...plan, actions: [] }, { seed })
      let restarts = 0
      const violations = await each(stages, steps, async (count, stage) => {
        const result = await runTree(
          {
            ...plan,
            actions: [
              { type: 'steps', count },
              { type: 'crash', stage },
            ],
          },
          { seed },
        )
        restarts += result.restarts
        return result.violations
      })
      expect(restarts).toBeGreaterThan(steps)
      expect(violations).toEqual([])
    },
  )
})
