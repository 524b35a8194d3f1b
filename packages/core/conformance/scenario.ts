/** The format of the golden traces: what a scenario does, and what is observed while it runs. */

export interface Entry {
  readonly scenario: Scenario
  /** What GenStage 1.3.2 did. */
  readonly trace: Trace
  readonly deviation?: Deviation
}

/** Where the port differs on purpose, by adopted X rules. Without a trace the outcome depends on scheduling. */
type Deviation =
  | { readonly rules: readonly string[]; readonly trace: Trace }
  | { readonly rules: readonly string[]; readonly trace: null; readonly why: string }

export interface Scenario {
  readonly name: string
  /** The rule that the scenario shows. */
  readonly why?: string
  readonly stages: readonly Stage[]
  readonly steps: readonly Step[]
}

export type Stage = ProducerStage | ProducerConsumerStage | ConsumerStage

/** Options of everything that has consumers; invalid values are part of some scenarios. */
export interface ProducingChoice {
  readonly dispatcher?: DispatcherChoice
  readonly bufferSize?: number | 'infinity'
  readonly bufferKeep?: string
}

export type DispatcherChoice =
  | { readonly type: 'demand'; readonly maxDemand?: number }
  | { readonly type: 'broadcast' }
  | { readonly type: 'partition'; readonly partitions?: number | readonly string[]; readonly hash?: string }

/** What a stage does in its callbacks, apart from recording them. */
interface Behaviour {
  readonly id: string
  /** `manual` is a mistake: a producer does not choose the mode. */
  readonly onSubscribe?: 'stop' | 'manual'
  /** Stop, or emit these events. */
  readonly onCancel?: 'stop' | readonly number[]
}

export interface ProducerStage extends Behaviour, ProducingChoice {
  readonly type: 'producer'
  /** `manual`, `counter`, `chunk` or `stop`. */
  readonly source: string
  readonly limit?: number
  readonly chunk?: number
  readonly demand?: string
  readonly subscribeTo?: undefined
}

/** What a stage does with a batch. A consumer with `fn` wrongly returns events. */
interface Consuming {
  readonly fn?: string
  readonly subscribeTo?: readonly StartSubscription[]
  readonly raiseOn?: number
}

export interface ProducerConsumerStage extends Behaviour, ProducingChoice, Consuming {
  readonly type: 'producer_consumer'
}

export interface ConsumerStage extends Behaviour, Consuming {
  readonly type: 'consumer'
}

/** Options of a subscription. An absent one is not passed at all. */
interface SubscriptionChoice {
  readonly mode?: string
  readonly maxDemand?: number
  readonly minDemand?: number
  readonly cancel?: string
  readonly partition?: number | string
  readonly selector?: string
}

export interface StartSubscription extends SubscriptionChoice {
  readonly as: string
  readonly producer: string
}

export interface SubscribeStep extends StartSubscription {
  readonly op: 'subscribe'
  readonly consumer: string
  readonly how?: 'async'
}

export interface ResubscribeStep extends StartSubscription {
  readonly op: 'resubscribe'
  readonly sub: string
  readonly reason: string
  readonly how?: 'async'
}

export type Step =
  | SubscribeStep
  | ResubscribeStep
  | { readonly op: 'ask'; readonly sub: string; readonly n: number }
  | { readonly op: 'cancel'; readonly sub: string; readonly reason: string }
  | { readonly op: 'emit'; readonly stage: string; readonly events: readonly number[] }
  | { readonly op: 'stop'; readonly stage: string; readonly reason: string }
  | { readonly op: 'raise'; readonly stage: string }
  | { readonly op: 'demand'; readonly stage: string; readonly mode?: string }
  | { readonly op: 'info'; readonly stage: string; readonly how: string; readonly msg: string }
  | { readonly op: 'estimate'; readonly stage: string }

export interface Trace {
  /** `ok` or an error token for each stage, and what was seen until all was quiet. */
  readonly start: { readonly results: Readonly<Record<string, string>>; readonly obs: Observations }
  /** One for each step, in the same order. */
  readonly steps: readonly { readonly result: StepResult; readonly obs: Observations }[]
}

export type StepResult = string | number

/** By stage, in each stage's own order. A stage that observed nothing is absent. */
export type Observations = Readonly<Record<string, readonly Observation[]>>

/** What happened, and its fields: `['events', 's1', [1, 2]]`. */
export type Observation = readonly [what: string, ...fields: unknown[]]

/** The scenario asks for something that the format does not know: a mistake in the file, no finding about the library. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError'
}
