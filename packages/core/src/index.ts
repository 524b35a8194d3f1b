/**
 * `@genstage/core`: stages that exchange events, which flow downstream only as fast as they are demanded.
 *
 * To read the sources, follow an event. The words first: reason.ts, types.ts, errors.ts, callbacks.ts, definition.ts, refs.ts. Then
 * what decides without doing: queue.ts, buffer.ts, demand.ts (who is owed what), dispatcher.ts and dispatchers/. Then what is said:
 * protocol.ts, mailbox.ts. A producer's `handleDemand` makes an event (serving.ts), its dispatcher chooses who gets it and a message
 * carries it (delivering.ts); the consumer's `handleEvents` takes it, and the consumer asks again (batches.ts). The subscriptions
 * themselves are the rest of each side: producer-side.ts, consumer-side.ts. stage.ts gives both sides their turns (turns.ts), their
 * messages (messages.ts) and a life (life.ts, with opening.ts and ending.ts). run-loop.ts gives turns to stages, start.ts and
 * stage-ref.ts are the outside of it all. Sources and readers are the edges: from-iterable.ts, from-push.ts, reader.ts. Stages that
 * look after other stages come last: supervision/roles.ts tells how a stage and its children know each other, children.ts what a
 * supervisor does, event-children.ts what a consumer supervisor does.
 *
 * Two conventions hold everywhere. Every promise that is a *property* (`ready`, `done`, `ended` …) is made when it is first read, so
 * one that nobody reads never becomes an unhandled rejection. Every duration is in milliseconds. Letters with numbers (GS-Q2, GS-K5)
 * are the rules of the semantics, which the documentation lists.
 */

// definitions
export { consumer, producer, producerConsumer } from './definition.ts'
export type {
  ArgOption,
  BaseOptions,
  ConsumerDefinition,
  ConsumerOptions,
  Definition,
  DispatcherOption,
  ProducerConsumerDefinition,
  ProducerConsumerOptions,
  ProducerDefinition,
  ProducerOptions,
  ProducingOptions,
  Setup,
  StartOptions,
} from './definition.ts'
export type {
  CallResult,
  ConsumerCallbacks,
  Context,
  ProducerCallbacks,
  ProducerConsumerCallbacks,
  ProducingCallbacks,
  StageCallbacks,
  Timer,
} from './callbacks.ts'

// starting, refs and names
export { start } from './start.ts'
export { consumerName, producerConsumerName, producerName } from './names.ts'
export type {
  AnyMessages,
  AnySubscription,
  ConsumerRef,
  Down,
  Edge,
  Inspection,
  Messages,
  Monitor,
  NameFor,
  NameOf,
  ProducerConsumerRef,
  ProducerRef,
  ReaderOptions,
  Runtime,
  Source,
  StageName,
  StageRef,
  StreamOptions,
  RedeliverOptions,
  ResubscribeOptions,
  SubscribeOptions,
  Subscriber,
  Subscription,
  SubscriptionOptions,
  Topology,
  TopologyStage,
} from './refs.ts'

// words
export { inFlight } from './in-flight.ts'
export type { InFlight } from './in-flight.ts'
export { ignore } from './types.ts'
export type {
  CancelMode,
  DemandMode,
  Discarded,
  DiscardReason,
  Ended,
  Events,
  Maybe,
  Partition,
  StageType,
  StopOptions,
  WaitOptions,
} from './types.ts'
export { isGraceful, normal, shutdown } from './reason.ts'
export type { Reason, ReasonInput } from './reason.ts'

// dispatchers
export { demandDispatcher } from './dispatchers/demand.ts'
export type { DemandDispatcherOptions } from './dispatchers/demand.ts'
export { broadcastDispatcher } from './dispatchers/broadcast.ts'
export { none, partitionDispatcher, routed } from './dispatchers/partition.ts'
export type { PartitionDispatcherOptions, Routed } from './dispatchers/partition.ts'
export { fairDispatcher } from './dispatchers/fair.ts'
export { priorityDispatcher } from './dispatchers/priority.ts'
export type { PriorityDispatcherOptions } from './dispatchers/priority.ts'
export { rateLimit } from './dispatchers/rate-limit.ts'
export type { RateLimitOptions } from './dispatchers/rate-limit.ts'
export type { Hashable } from './hash.ts'
export type {
  Delivery,
  Dispatched,
  Dispatcher,
  DispatcherContext,
  DispatcherFactory,
  DispatcherWarning,
  Recipient,
} from './dispatcher.ts'

// sources and readers
export { fromIterable } from './from-iterable.ts'
export type { FromIterableOptions, IterableSource } from './from-iterable.ts'
export { fromPush } from './from-push.ts'
export type { FromPushOptions, PushSink } from './from-push.ts'
export { stream } from './reader.ts'

// supervision
export { child } from './supervision/child.ts'
export type { ChildOptions, ChildSpec, Restart } from './supervision/child.ts'
export { supervisor } from './supervision/supervisor.ts'
export type { ChildRefs, SupervisorDefinition, SupervisorOptions } from './supervision/supervisor.ts'
export type { SupervisorRef } from './supervision/supervisor-ref.ts'
export type { ChildInfo } from './supervision/child-info.ts'
export type { Shutdown } from './supervision/end-child.ts'
export type { BackoffOptions, RestartIntensity } from './supervision/restart-window.ts'
export type { Strategy } from './supervision/strategy.ts'
export { stopOnSignals } from './supervision/signals.ts'
export { consumerSupervisor } from './supervision/consumer-supervisor.ts'
export type { ConsumerSupervisorDefinition, ConsumerSupervisorOptions } from './supervision/consumer-supervisor.ts'
export type { ConsumerSupervisorRef } from './supervision/consumer-supervisor-ref.ts'
export type { TaskContext } from './supervision/task-context.ts'

// the runtime
export { createRuntime, defaultRuntime } from './runtime.ts'
export type { RuntimeOptions } from './runtime.ts'
export { bottlenecks } from './bottleneck.ts'
export type { Clock } from './clock.ts'
export type { Choice, Scheduler } from './scheduler.ts'
export type { LogCode, LogFields, Logger } from './logger.ts'
export type { TelemetryEvent, TelemetryEvents } from './telemetry.ts'
export type { TelemetryMessage } from './telemetry-channels.ts'

// errors
export { GenStageError } from './errors.ts'
export type { ErrorCode, GenStageErrorDetails } from './errors.ts'
