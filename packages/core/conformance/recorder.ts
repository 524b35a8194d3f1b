/** Writes down what the stages of one scenario observe, each stage in its own order. */
import type { AnySubscription, Ended, Logger, Reason } from '@genstage/core'
import type { Observation, Observations } from './scenario.ts'
import type { Subscriptions } from './subscriptions.ts'
import { reasonToken } from './tokens.ts'

/** The lines of the log that count as observations, with the fields that belong to them. */
const logFields: Readonly<Record<string, readonly string[]>> = {
  excess: ['n'],
  ask_over_max: ['n', 'max'],
  consumer_cannot_emit: ['n'],
  not_a_producer: [],
  not_a_consumer: [],
  bad_opts: [],
  noproc: [],
  no_demand_mode: [],
  no_buffer: [],
  already_subscribed: [],
  stopping_on_cancel: ['reason'],
}

export class Recorder {
  readonly #subscriptions: Subscriptions
  /** Seen since the last `take`, by stage. */
  #seen = new Map<string, Observation[]>()
  /** How much was ever seen: a change means that the system is not quiet. */
  #count = 0
  /** False from the end of the scenario on: the teardown is no part of the trace. */
  #open = true

  /** Takes the library's lines. Those with other codes are no observations. */
  readonly logger: Logger = {
    debug: (_message, fields) => this.#log(fields),
    info: (_message, fields) => this.#log(fields),
    warn: (_message, fields) => this.#log(fields),
    error: (_message, fields) => this.#log(fields),
  }

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions
  }

  get count(): number {
    return this.#count
  }

  subscribed(stage: string, from: AnySubscription): void {
    this.observe(stage, ['subscribe', from.role, this.#subscriptions.alias(from.id), peerOf(from), optionsOf(from)])
  }

  cancelled(stage: string, { kind, reason }: Ended, from: AnySubscription): void {
    this.observe(stage, ['cancel', kind, reasonToken(reason), this.#subscriptions.alias(from.id), peerOf(from)])
  }

  received(stage: string, events: readonly number[], from: AnySubscription): void {
    this.observe(stage, ['events', this.#subscriptions.alias(from.id), [...events]])
  }

  ended(stage: string, what: 'terminate' | 'exit', reason: Reason): void {
    this.observe(stage, [what, reasonToken(reason)])
  }

  observe(stage: string, observation: Observation): void {
    if (!this.#open) return
    this.#count++
    const ofStage = this.#seen.get(stage)
    if (ofStage) ofStage.push(observation)
    else this.#seen.set(stage, [observation])
  }

  /** What was observed since the last time. */
  take(): Observations {
    const seen = Object.fromEntries(this.#seen)
    this.#seen = new Map()
    return seen
  }

  close(): void {
    this.#open = false
  }

  #log(fields: Readonly<Record<string, unknown>> = {}): void {
    const code = String(fields['code'])
    const names = Object.hasOwn(logFields, code) ? logFields[code] : undefined
    if (!names) return
    const values = names.map(name => (isReason(fields[name]) ? reasonToken(fields[name]) : fields[name]))
    this.observe(String(fields['stage']), ['log', code, ...values])
  }
}

function peerOf(from: AnySubscription): string {
  const peer = from.role === 'producer' ? from.producer : from.consumer
  return peer.name ?? peer.id
}

/** The options that were given, as the callback sees them; a function has no place in a trace. */
function optionsOf({ options }: AnySubscription): Readonly<Record<string, unknown>> {
  const { selector, ...others } = options
  return selector === undefined ? others : { ...others, selector: true }
}

function isReason(value: unknown): value is Reason {
  return typeof value === 'object' && value !== null && 'type' in value
}
