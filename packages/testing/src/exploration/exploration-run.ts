import type { Choice } from '@genstage/core'
import { Simulation } from '../simulation.ts'
import { VirtualClock } from '../virtual-clock.ts'
import type { Chains } from './chains.ts'
import { Histories } from './histories.ts'
import type { ExploreOptions, Play, PlayAction, Scene } from './scene.ts'

/** One of several things was done. */
export interface Decision {
  readonly index: number
  readonly of: number
}

/** What a run is given. */
export interface RunPlan {
  readonly scene: Scene
  readonly options: Required<ExploreOptions>
  /** The decisions to begin with; after them the first of all possibilities is taken. */
  readonly prefix: readonly number[]
  readonly chains: Chains
  /** States that were seen: a run that comes to one of them ends. Undefined: none is looked at. */
  readonly seen: Set<string> | undefined
}

/** One run of a scene, from its beginning. */
export class ExplorationRun {
  readonly decisions: Decision[] = []
  readonly steps: string[] = []
  violations: readonly string[] = []
  readonly #plan: RunPlan
  readonly #histories: Histories
  readonly #simulation: Simulation
  readonly #clock: VirtualClock
  readonly #names = new Map<string, string>()
  #isClosing = false

  constructor(plan: RunPlan) {
    this.#plan = plan
    const histories = new Histories(plan.chains)
    this.#histories = histories
    this.#clock = new NotedClock(histories)
    let draws = 0
    this.#simulation = new Simulation({
      clock: this.#clock,
      chooser: choices => this.#choose(choices),
      random: () => {
        histories.drawn()
        return (++draws * 0.618_033_988_749_895) % 1
      },
    })
    this.#simulation.onPost((stage, sender) => histories.posted(stage, sender))
    this.#simulation.runtime.telemetry.on('exited', ({ stage }) => histories.ended(stage))
  }

  /** Plays it to the end; false if it was left at a state that was seen before. */
  async play(): Promise<boolean> {
    try {
      return await this.#play(this.#plan.scene(this.#simulation))
    } catch (error) {
      this.violations = [`thrown: ${error instanceof Error ? error.message : String(error)}`]
      return true
    } finally {
      this.#leave()
    }
  }

  async #play(play: Play): Promise<boolean> {
    const { seen, prefix, options } = this.#plan
    const actions = (play.actions ?? []).map(action => (typeof action === 'function' ? { run: action } : action))
    await this.#simulation.flush()
    for (let state: string | undefined; ;) {
      const isNew = this.decisions.length >= prefix.length
      if (isNew && seen !== undefined) {
        const before = state
        state = this.#histories.fingerprint()
        // A stage that went to sleep is no step: the state is the same
        if (state !== before && seen.has(state)) return false
        seen.add(state)
      }
      if (!this.#move(actions)) break
      await this.#simulation.flush()
      const isChecked = seen === undefined || this.decisions.length >= prefix.length
      if (isChecked && this.#isWrong(play.check?.() ?? [])) return true
      if (this.steps.length > options.maxSteps && this.#isWrong([`not quiet after ${options.maxSteps} steps`])) return true
    }
    this.#isClosing = true
    const wrong = (await play.end?.()) ?? []
    const raised = this.#simulation.uncaught.filter(error => play.isExpected?.(error) !== true)
    this.#isWrong([...wrong, ...raised.map(error => `raised, and watched by nobody: ${error.message}`)])
    return true
  }

  /** Does one of the things that can happen now; false if there is none. */
  #move(actions: PlayAction[]): boolean {
    const canStep = !this.#simulation.isIdle
    const canAct = actions.length > 0
    const timers = canStep && this.#plan.options.timers === 'at rest' ? 0 : this.#clock.nextCount
    const possibilities = (canStep ? 1 : 0) + (canAct ? 1 : 0) + timers
    if (possibilities === 0) return false
    let index = this.#decide(possibilities)
    if (canStep && index-- === 0) this.#simulation.step()
    else if (canAct && index-- === 0) this.#act(actions)
    else {
      this.steps.push(`a timer fires at ${this.#clock.nextAt ?? 0}`)
      this.#clock.fireNext(index)
    }
    return true
  }

  #act(actions: PlayAction[]): void {
    const action = actions.shift()
    if (action === undefined) return
    this.steps.push(`action ${action.name ?? action.run.name}`.trim())
    if (action.of === undefined) this.#histories.outside('action')
    else this.#histories.actionOn(action.of.id)
    action.run()
  }

  #choose(choices: readonly Choice[]): number {
    const index = this.#decide(choices.length)
    const choice = choices[index]
    if (choice === undefined || this.#isClosing) return index
    this.steps.push(`${this.#nameOf(choice.stage)} takes ${choice.message} of ${this.#nameOf(choice.sender)}`)
    this.#histories.step(choice)
    return index
  }

  #decide(of: number): number {
    if (of <= 1 || this.#isClosing) return 0
    const given = this.#plan.prefix[this.decisions.length] ?? 0
    const index = given < of ? given : 0
    this.decisions.push({ index, of })
    return index
  }

  /** Kills what still runs: somebody who waits for the end of a stage keeps the process alive. */
  #leave(): void {
    this.#isClosing = true
    this.#histories.close()
    void this.#simulation.runtime.stop({ timeout: 0 })
    for (let timers = 0; timers < this.#plan.options.maxSteps && this.#clock.fireNext(); timers++) continue
  }

  #isWrong(violations: readonly string[]): boolean {
    this.violations = [...this.violations, ...violations]
    return violations.length > 0
  }

  /** The name of a stage, or its id. Looked up once: who has ended is not in the topology any more. */
  #nameOf(id: string): string {
    const known = this.#names.get(id)
    if (known !== undefined) return known
    for (const { id: each, name = each } of this.#simulation.runtime.topology().stages) this.#names.set(each, name)
    return this.#names.get(id) ?? id
  }
}

/** A clock whose timers are entered in the histories when they fire. */
class NotedClock extends VirtualClock {
  readonly #histories: Histories

  constructor(histories: Histories) {
    super()
    this.#histories = histories
  }

  override setTimer(ms: number, callback: () => void): Disposable {
    const label = this.#histories.timer()
    return super.setTimer(ms, () => {
      this.#histories.outside(label)
      callback()
    })
  }
}
