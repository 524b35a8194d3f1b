import { GenStageError, isGraceful, type Reason } from '@genstage/core'
import type { Simulation } from '../simulation.ts'
import type { SupervisorPlan, TreePlan } from '../tree-plan.ts'
import { stageName } from './stages.ts'

/** One life of a stage or of a supervisor. */
export interface Life {
  readonly id: string
  readonly name: string
  /** When it was started, was set up and ended: places in the order of all that. `begun` is undefined if its setup did not come to its end. */
  readonly made: number
  begun: number | undefined
  ended: number | undefined
  reason: Reason | undefined
  /** How many lines the log had at its end. */
  loggedAtEnd: number
}

/** Where a stage or a supervisor has its place. */
export interface Place {
  readonly name: string
  /** Name of its supervisor; undefined for the root. */
  readonly supervisor: string | undefined
  /** Its place among its siblings. */
  readonly order: number
  readonly restart: 'permanent' | 'transient' | 'temporary'
  /** Undefined for a stage. */
  readonly plan: SupervisorPlan | undefined
}

/** Who lived when below a tree of supervisors, as telemetry tells. */
export class TreeJournal {
  /** Names that something was done to from outside, besides a crash. */
  readonly touched: Set<string> = new Set()
  /** Answers of supervisors to commands that they did not obey. */
  readonly refusals: unknown[] = []
  readonly lives: Life[] = []
  readonly #byId = new Map<string, Life>()
  readonly #places = new Map<string, Place>()
  readonly #made = new Map<string, number>()
  /** How many beginnings and ends there were. */
  count = 0

  constructor(plan: TreePlan, simulation: Simulation) {
    this.#enter(plan, { restart: 'temporary', supervisor: plan.root }, '0', undefined, 0)
    // The first message to a stage is posted when it is started
    simulation.onPost(stage => {
      if (!this.#made.has(stage)) this.#made.set(stage, this.count++)
    })
    const { telemetry } = simulation.runtime
    telemetry.on('started', ({ stage, name = '' }) => {
      this.#life(stage, name).begun = this.count++
    })
    telemetry.on('exited', ({ stage, name = '', reason }) => {
      const life = this.#life(stage, name)
      life.ended = this.count++
      life.reason = reason
      life.loggedAtEnd = simulation.log.length
    })
  }

  get places(): readonly Place[] {
    return [...this.#places.values()]
  }

  get supervisors(): readonly (Place & { readonly plan: SupervisorPlan })[] {
    return this.places.filter((place): place is Place & { readonly plan: SupervisorPlan } => place.plan !== undefined)
  }

  placeOf(name: string): Place | undefined {
    return this.#places.get(name)
  }

  livesOf(name: string): readonly Life[] {
    return this.lives.filter(life => life.name === name)
  }

  #life(id: string, name: string): Life {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const life: Life = {
      id,
      name,
      made: this.#made.get(id) ?? -1,
      begun: undefined,
      ended: undefined,
      reason: undefined,
      loggedAtEnd: 0,
    }
    this.#byId.set(id, life)
    this.lives.push(life)
    return life
  }

  #enter(
    plan: TreePlan,
    child: { readonly restart: Place['restart'] } & ({ readonly stage: number } | { readonly supervisor: SupervisorPlan }),
    path: string,
    supervisor: string | undefined,
    order: number,
  ): void {
    const { restart } = child
    if ('stage' in child) {
      const stage = plan.stages[child.stage]
      const name = stage === undefined ? '' : stageName(stage, child.stage)
      this.#places.set(name, { name, supervisor, order, restart, plan: undefined })
      return
    }
    const name = supervisorName(path)
    this.#places.set(name, { name, supervisor, order, restart, plan: child.supervisor })
    child.supervisor.children.forEach((each, place) => this.#enter(plan, each, `${path}.${place}`, name, place))
  }
}

/** Whether a life ended by itself: neither told to, nor killed. A supervisor that gave up did. */
export function endedByItself({ reason }: Life): boolean {
  if (reason === undefined || reason.type === 'killed') return false
  return !isGraceful(reason) || reason.type === 'normal' || (reason.type === 'shutdown' && reason.detail instanceof GenStageError)
}

/** What a planned supervisor is called, by the places on the way to it. */
export function supervisorName(path: string): string {
  return `supervisor ${path}`
}
