/** For tests: the pipeline in virtual time, with the world outside in the hands of the test. */
import { start } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import { hasRoot, rootOf } from './numbers.ts'
import type { Found } from './numbers.ts'
import { takingRoots } from './pipeline.ts'
import type { Outside } from './pipeline.ts'
import type { Worked } from './worker.ts'

export const everyMs = 2_000

export interface Options {
  readonly seed?: number
  /** What to put in the place of the functions that the pipeline calls. */
  readonly outside?: Partial<Outside>
  /** How long the answer of a source takes, a root, and a post. Default 10. */
  readonly fetchMs?: number
  readonly workMs?: number
  readonly postMs?: number
  /** Called before each answer of a server and each post: may throw. */
  readonly mayFail?: () => void
}

/** Starts the pipeline. What is pushed to `waiting` is found from then on. */
export function simulate({ seed = 1, outside = {}, fetchMs = 10, workMs = 10, postMs = 10, mayFail = () => {} }: Options = {}) {
  const simulation = new Simulation({ seed })
  const { runtime, clock } = simulation
  const waiting = { east: [] as Found[], west: [] as Found[], table: [] as Found[] }
  /** When each source was asked. */
  const asked = { east: [] as number[], west: [] as number[], table: [] as number[] }
  const written: (readonly Worked[])[] = []
  const posted: (readonly Worked[])[] = []
  const shown: Worked[] = []
  const restarts: string[] = []
  runtime.telemetry.on('restarted', ({ child }) => restarts.push(child))

  async function ask(source: keyof typeof waiting, limit: number): Promise<readonly Found[]> {
    asked[source].push(clock.now())
    await simulation.delay(fetchMs)
    mayFail()
    return waiting[source].splice(0, limit)
  }

  const root = start(
    takingRoots(
      {
        fetchEast: async () => (await ask('east', 1))[0],
        fetchWest: async () => (await ask('west', 1))[0],
        claimRows: limit => ask('table', limit),
        async process(number) {
          await simulation.delay(workMs)
          return rootOf(number)
        },
        async append(roots) {
          written.push(roots)
        },
        async post(roots) {
          await simulation.delay(postMs)
          mayFail()
          posted.push(roots)
        },
        show: worked => void shown.push(worked),
        ...outside,
      },
      { everyMs },
    ),
    { runtime, name: 'root' },
  )

  return {
    simulation,
    runtime,
    root,
    waiting,
    asked,
    written,
    posted,
    shown,
    restarts,
    /** Stops everything in order; what is on its way comes out. */
    async drain() {
      const stopped = root.stop('shutdown', { drain: true })
      await simulation.advance(60_000)
      await stopped
    },
  }
}

/** Numbers as a source has them. */
export function found(source: string, ...numbers: readonly number[]): Found[] {
  return numbers.map((number, n) => ({ id: `${source}-${n + 1}`, number }))
}

/** The ids of roots, sorted: what has come, in whatever order. */
export function idsOf(roots: readonly Found[]): string[] {
  return roots.map(({ id }) => id).toSorted()
}

/** What a plain loop would have found. */
export function expectedIds(...numbers: readonly (readonly Found[])[]): string[] {
  return idsOf(numbers.flat().filter(hasRoot))
}
