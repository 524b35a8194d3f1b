/** One run of a scenario: its runtime, its stages, and how to know that they are quiet. */
import { createRuntime, GenStageError, producerName } from '@genstage/core'
import type { Runtime, Source } from '@genstage/core'
import { Patience } from './patience.ts'
import { Recorder } from './recorder.ts'
import { ScenarioError } from './scenario.ts'
import type { Observations, Scenario, Stage } from './scenario.ts'
import type { AnyRef, Scene } from './scene.ts'
import { startStage } from './stages.ts'
import { Subscriptions } from './subscriptions.ts'
import { errorToken } from './tokens.ts'
import { settlesWithin } from './turns.ts'

/** How often in a row the stages have to be found at rest, with nothing new observed. */
const calmLooks = 3

/** The scenario did not come to rest, so it has no trace. */
class NeverQuietError extends Error {
  override readonly name = 'NeverQuietError'
}

export class Run implements Scene {
  readonly runtime: Runtime
  readonly recorder: Recorder
  readonly subscriptions: Subscriptions
  /** The stages whose start succeeded, by id. A dead stage is not the same as a name that nobody ever had. */
  readonly #started = new Map<string, AnyRef>()
  /** Those of them that have not ended. */
  readonly #live = new Map<string, AnyRef>()
  /** So many observations after a step mean that the scenario has no end. */
  readonly #mostObservations: number | undefined

  constructor(scenario: Scenario, mostObservations?: number) {
    this.#mostObservations = mostObservations
    this.subscriptions = new Subscriptions(scenario)
    this.recorder = new Recorder(this.subscriptions)
    // Stages that fail are part of scenarios: the trace tells.
    this.runtime = createRuntime({ logger: this.recorder.logger, onUncaught: () => {} })
  }

  source(id: string): Source<number> {
    return this.#started.get(id) ?? producerName<number>(id)
  }

  /** The stage of that id, unless it has ended or never started. */
  live(id: string): AnyRef | undefined {
    return this.#live.get(id)
  }

  /** Starts a stage and waits until that is done: `ok` or the token of the error. */
  async start(stage: Stage): Promise<string> {
    try {
      const ref = startStage(stage, this)
      const { ready } = ref
      const patience = this.#patience()
      if (!(await settlesWithin(patience, ready)))
        throw new NeverQuietError(`the start of ${stage.id} does not end: ${patience.spent}`)
      await ready
      this.#watch(stage.id, ref)
      return 'ok'
    } catch (error) {
      const mistake = error instanceof GenStageError ? error.cause : error
      if (mistake instanceof ScenarioError || mistake instanceof NeverQuietError) throw mistake
      return errorToken(error)
    }
  }

  #watch(id: string, ref: AnyRef): void {
    this.#started.set(id, ref)
    this.#live.set(id, ref)
    void ref.exited.then(reason => {
      this.#live.delete(id)
      this.recorder.ended(id, 'exit', reason)
    })
  }

  /** Waits until nothing more happens, and gives what was observed since the last time. */
  async quiet(when: string): Promise<Observations> {
    const patience = this.#patience()
    let seen = this.recorder.count
    for (let calm = 0; calm < calmLooks;) {
      const resting = await this.#allRest(patience)
      if (resting === undefined) throw new NeverQuietError(`never quiet after ${when}: ${patience.spent}`)
      calm = resting && seen === this.recorder.count ? calm + 1 : 0
      seen = this.recorder.count
    }
    return this.recorder.take()
  }

  #patience(): Patience {
    return new Patience(() => this.recorder.count, this.#mostObservations)
  }

  /** Whether all live stages have come to the end of their mailboxes; undefined if the patience ends first. Takes at least one turn. */
  async #allRest(patience: Patience): Promise<boolean | undefined> {
    let waiting = 0
    const looks = [...this.#live.values()].map(async ref => {
      const { mailbox } = await ref.inspect({ timeout: Infinity })
      waiting += mailbox
    })
    const answered = await settlesWithin(patience, Promise.allSettled(looks))
    return answered ? waiting === 0 : undefined
  }

  /** Throws everything away. What happens now is no part of the trace. */
  async end(): Promise<void> {
    this.recorder.close()
    const ends = [...this.#live.values()].map(ref => ref.kill())
    await settlesWithin(this.#patience(), Promise.allSettled(ends))
  }
}
