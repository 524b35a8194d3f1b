/** A consumer supervisor whose producer, tasks and time are in the hands of the test. */
import { consumerSupervisor, start } from '@genstage/core'
import type {
  ConsumerSupervisorOptions,
  ConsumerSupervisorRef,
  Definition,
  Maybe,
  ProducerRef,
  StageRef,
  SubscriptionOptions,
  TaskContext,
} from '@genstage/core'
import { expect, onTestFinished } from 'vitest'
import { type Item, type ItemMessages, type Seen, source } from './stages.ts'
import { watchedRuntime } from './watched-runtime.ts'

/** One call of a task function. */
export interface Call {
  readonly event: Item
  readonly task: TaskContext
  resolve(): void
  reject(error: unknown): void
}

/** A task function whose calls wait until the test says how they end. */
export class Tasks {
  readonly calls: Call[] = []
  /** How many have neither resolved nor rejected. */
  running = 0
  /** The most that ran at once. */
  most = 0

  readonly handle = (event: Item, task: TaskContext): Promise<void> =>
    new Promise((resolve, reject) => {
      this.running++
      this.most = Math.max(this.most, this.running)
      const over = (): void => void this.running--
      this.calls.push({
        event,
        task,
        resolve: () => {
          over()
          resolve()
        },
        reject: error => {
          over()
          reject(error)
        },
      })
    })

  /** The events that were begun, in order. */
  get events(): readonly Item[] {
    return this.calls.map(call => call.event)
  }

  /** The latest call for an event. */
  of(event: Item): Call {
    const call = this.calls.findLast(each => each.event === event)
    if (call === undefined) throw new Error(`no task was begun for ${event}`)
    return call
  }
}

export type Child = ((event: Item, task: TaskContext) => Maybe<unknown>) | Definition<Item, never, StageRef>

interface Loss {
  readonly reason: string
  readonly events: readonly unknown[]
}

export interface Workshop extends ReturnType<typeof watchedRuntime> {
  /** Emits what it is cast. */
  readonly producer: ProducerRef<Item, ItemMessages>
  /** What the producer saw. */
  readonly above: Seen
  readonly supervisor: ConsumerSupervisorRef<Item>
  /** What telemetry reported as given up. */
  readonly lost: Loss[]
  /** Codes of the lines that were logged. */
  codes(): readonly string[]
  /** Emits events, and lets them arrive. */
  send(...events: readonly Item[]): Promise<void>
}

/** Starts both, with a temporary subscription unless the test says otherwise; at the end nothing must be left. */
export async function workshop(
  child: Child,
  options: ConsumerSupervisorOptions = {},
  subscription: SubscriptionOptions = {},
): Promise<Workshop> {
  const world = watchedRuntime()
  const { runtime, lines } = world
  const lost: Loss[] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push({ reason, events }))
  const above: Seen = []
  const producer = start(source(above), { runtime, name: 'orders' })
  const supervisor = start(consumerSupervisor(child, options), {
    runtime,
    name: 'workshop',
    subscribeTo: [{ to: producer, cancel: 'temporary', ...subscription }],
  })
  onTestFinished(async () => {
    const stopped = runtime.stop({ timeout: 0 })
    await world.pass(0)
    await stopped
    await world.settle()
    expect({ uncaught: world.uncaught, raised: world.raised, timers: world.timers() }).toEqual({
      uncaught: [],
      raised: [],
      timers: 0,
    })
    expect(runtime.topology().stages).toEqual([])
  })
  await world.settle()
  return {
    ...world,
    producer,
    above,
    supervisor,
    lost,
    codes: () => lines.map(line => line.fields.code),
    send(...events) {
      producer.cast(events)
      return world.settle()
    },
  }
}
