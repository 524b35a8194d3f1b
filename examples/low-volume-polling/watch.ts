/** Figures of what happens, taken from outside: neither the stages nor the functions they call know of it. */
import { bottlenecks } from '@genstage/core'
import type { Runtime, Topology, TopologyStage } from '@genstage/core'
import type { Flow } from '../shared/picture.ts'

/** How often a source was asked. */
export interface Polls {
  readonly calls: number
  /** It had nothing. */
  readonly empty: number
  readonly failed: number
  readonly numbers: number
}

/** The same function, and how often it has been called. `countOf`: how many numbers an answer brings. */
export function counted<Args extends readonly unknown[], Answer>(
  ask: (...args: Args) => Promise<Answer>,
  countOf: (answer: Answer) => number,
): { readonly ask: (...args: Args) => Promise<Answer>; readonly polls: Polls } {
  const polls = { calls: 0, empty: 0, failed: 0, numbers: 0 }
  async function asking(...args: Args): Promise<Answer> {
    polls.calls++
    try {
      const answer = await ask(...args)
      const count = countOf(answer)
      polls.numbers += count
      if (count === 0) polls.empty++
      return answer
    } catch (error) {
      polls.failed++
      throw error
    }
  }
  return { ask: asking, polls }
}

/** What befell the stages of a runtime. */
export interface Observed {
  /** How often each child was started again, by its id. */
  readonly restarts: ReadonlyMap<string, number>
  /** Events that were given up. */
  readonly discarded: number
}

/** Counts from now on. */
export function observe(runtime: Runtime): Observed {
  const restarts = new Map<string, number>()
  const observed = { restarts, discarded: 0 }
  runtime.telemetry.on('restarted', ({ child }) => restarts.set(child, (restarts.get(child) ?? 0) + 1))
  runtime.telemetry.on('discarded', ({ count }) => (observed.discarded += count))
  return observed
}

/** Pictures of a running pipeline, and what they tell together. */
export class Pictures {
  readonly #runtime: Runtime
  readonly #pictures: Topology[] = []
  /** By subscription: one that has been made again is another one. */
  readonly #carried = new Map<string, Flow>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    // The last moment in which there is something to see of its subscriptions.
    runtime.telemetry.on('failed', () => this.#look(runtime.topology()))
  }

  take(): void {
    const picture = this.#runtime.topology()
    this.#pictures.push(picture)
    this.#look(picture)
  }

  /** The stage that held up the others. A source, if they have only waited for numbers. */
  get bottleneck(): TopologyStage | undefined {
    return bottlenecks(...this.#pictures)[0]
  }

  /** What has gone from each stage to each other by now, in all of their lives. */
  get flows(): readonly Flow[] {
    this.#look(this.#runtime.topology())
    const flows = new Map<string, Flow>()
    for (const { from, to, events } of this.#carried.values()) {
      const key = `${from} ${to}`
      flows.set(key, { from, to, events: events + (flows.get(key)?.events ?? 0) })
    }
    return [...flows.values()]
  }

  #look({ stages, edges }: Topology): void {
    const nameOf = new Map(stages.map(({ id, name = id }) => [id, name]))
    for (const { subscription, producer, consumer, delivered } of edges) {
      const [from, to] = [nameOf.get(producer), nameOf.get(consumer)]
      if (from !== undefined && to !== undefined) this.#carried.set(subscription, { from, to, events: delivered })
    }
  }
}
