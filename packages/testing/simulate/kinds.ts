import { runTopology, runTree, type TopologyPlan, type TreePlan } from '@genstage/testing'
import { topologyArbitrary, treeArbitrary } from '@genstage/testing/arbitraries'
import fc from 'fast-check'
import { isJobBug, type KindName, type PlantedBug, type PlantedJobBug } from './options.ts'
import { planted } from './plant.ts'

/** What is made at random, and run. */
export interface Kind {
  readonly name: KindName
  /** Runs one, and throws what was wrong. */
  readonly property: (plant: PlantedBug | PlantedJobBug | undefined) => Promise<fc.IAsyncProperty<[plan: unknown, seed: number]>>
}

/** An invariant was violated. */
class Violated extends Error {
  override readonly name = 'Violated'
}

function claimNone(violations: readonly string[]): void {
  if (violations.length > 0) throw new Violated(violations.join('\n'))
}

function changeOf(plant: PlantedBug | PlantedJobBug | undefined): { readonly changeDispatcher?: ReturnType<typeof planted> } {
  return plant === undefined || isJobBug(plant) ? {} : { changeDispatcher: planted(plant) }
}

export const kinds: Readonly<Record<KindName, Kind>> = {
  topology: {
    name: 'topology',
    property: async plant =>
      fc.asyncProperty<[unknown, number]>(topologyArbitrary({ maxActions: 60 }), fc.nat(), async (plan, seed) =>
        claimNone((await runTopology(plan as TopologyPlan, { ...changeOf(plant), seed })).violations),
      ),
  },
  tree: {
    name: 'tree',
    property: async plant =>
      fc.asyncProperty<[unknown, number]>(treeArbitrary(), fc.nat(), async (plan, seed) =>
        claimNone((await runTree(plan as TreePlan, { ...changeOf(plant), seed })).violations),
      ),
  },
  jobs: {
    name: 'jobs',
    property: async plant => {
      // Loaded for jobs alone: stages need to know nothing of them
      const { jobsProperty } = await import('../../jobs/simulate/check-jobs.ts')
      return jobsProperty(plant !== undefined && isJobBug(plant) ? plant : undefined)
    },
  },
}
