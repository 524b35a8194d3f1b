import { explore, topologyScene, treeScene } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { exploredPlans, exploredTrees } from './explored-plans.ts'

const minutes = 60_000

const scenes = [
  ...exploredPlans.map(({ name, states, plan }) => [name, states, topologyScene(plan)] as const),
  ...exploredTrees.map(({ name, states, plan }) => [name, states, treeScene(plan)] as const),
]

describe('every order of a small topology', () => {
  it.each(scenes)('%s: all invariants hold in all %i states', { timeout: 5 * minutes }, async (_, states, scene) => {
    const exploration = await explore(scene)
    expect(exploration.counterExample).toBeUndefined()
    expect(exploration.complete).toBe(true)
    expect(exploration.states).toBe(states)
  })
})
