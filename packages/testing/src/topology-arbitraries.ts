import fc from 'fast-check'
import type {
  Action,
  ConsumerPlan,
  ProducerConsumerPlan,
  ProducerPlan,
  StagePlan,
  SubscriptionPlan,
  TopologyPlan,
} from './topology-plan.ts'

/** How large the topologies are. */
export interface TopologyConstraints {
  /** Default 4. */
  readonly maxProducers?: number
  /** Default 4. */
  readonly maxProducerConsumers?: number
  /** Default 8. */
  readonly maxConsumers?: number
  /** Default 40. */
  readonly maxActions?: number
}

const producing = {
  dispatcher: fc.constantFrom('demand', 'broadcast', 'partition'),
  bufferSize: fc.constantFrom(0, 1, 3, 50, Infinity),
  bufferKeep: fc.constantFrom('first', 'last'),
  sparing: fc.constantFrom(false, false, false, true),
} as const

const handling = {
  handler: fc.oneof(
    { arbitrary: fc.constant('sync' as const), weight: 6 },
    { arbitrary: fc.constant('async' as const), weight: 3 },
    { arbitrary: fc.constant('throws' as const), weight: 1 },
    { arbitrary: fc.constant('never' as const), weight: 1 },
  ),
  failAt: fc.integer({ min: 1, max: 6 }),
}

const producerPlan: fc.Arbitrary<ProducerPlan> = fc.record({
  type: fc.constant('producer'),
  ...producing,
  source: fc.constantFrom('exact', 'exact', 'fewer', 'more', 'manual', 'async'),
  limit: fc.integer({ min: 0, max: 60 }),
  demand: fc.constantFrom('forward', 'forward', 'forward', 'accumulate'),
})

const producerConsumerPlan: fc.Arbitrary<ProducerConsumerPlan> = fc.record({
  type: fc.constant('producerConsumer'),
  ...producing,
  ...handling,
  transform: fc.constantFrom('same', 'half', 'twice'),
})

const consumerPlan: fc.Arbitrary<ConsumerPlan> = fc.record({ type: fc.constant('consumer'), ...handling })

const place = fc.nat({ max: 63 })

/** One thing that happens to a topology. */
export const actionArbitrary: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ type: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 30 }) }), weight: 8 },
  { arbitrary: fc.record({ type: fc.constant('settle' as const) }), weight: 2 },
  { arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 5 }) }), weight: 3 },
  {
    arbitrary: fc.record({ type: fc.constant('emit' as const), stage: place, count: fc.integer({ min: 0, max: 12 }) }),
    weight: 5,
  },
  {
    arbitrary: fc.record({ type: fc.constant('ask' as const), subscription: place, count: fc.integer({ min: 0, max: 10 }) }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('cancel' as const),
      subscription: place,
      side: fc.constant('consumer' as const),
      graceful: fc.boolean(),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ type: fc.constant('subscribe' as const), subscription: place }), weight: 2 },
  { arbitrary: fc.record({ type: fc.constant('resubscribe' as const), subscription: place }), weight: 1 },
  {
    arbitrary: fc.record({
      type: fc.constant('demand' as const),
      stage: place,
      mode: fc.constantFrom('forward' as const, 'forward' as const, 'accumulate' as const),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ type: fc.constant('info' as const), stage: place }), weight: 2 },
  { arbitrary: fc.record({ type: fc.constant('crash' as const), stage: place }), weight: 1 },
  { arbitrary: fc.record({ type: fc.constant('kill' as const), stage: place }), weight: 1 },
  { arbitrary: fc.record({ type: fc.constant('stop' as const), stage: place, drain: fc.boolean() }), weight: 1 },
)

/**
 * Random topologies with a schedule: producers first, then stages in the middle that subscribe to any before them, then consumers.
 * Every stage that consumes has at least one producer.
 */
export function topologyArbitrary(constraints: TopologyConstraints = {}): fc.Arbitrary<TopologyPlan> {
  const { maxProducers = 4, maxProducerConsumers = 4, maxConsumers = 8, maxActions = 40 } = constraints
  return fc
    .record({
      producers: fc.array(producerPlan, { minLength: 1, maxLength: maxProducers }),
      middle: fc.array(producerConsumerPlan, { maxLength: maxProducerConsumers }),
      consumers: fc.array(consumerPlan, { minLength: 1, maxLength: maxConsumers }),
      actions: fc.array(actionArbitrary, { maxLength: maxActions, size: 'max' }),
    })
    .chain(({ producers, middle, consumers, actions }) => {
      const stages: readonly StagePlan[] = [...producers, ...middle, ...consumers]
      const sources = producers.length + middle.length
      const each = stages.flatMap((stage, consumer) =>
        stage.type === 'producer'
          ? []
          : [fc.array(subscriptionArbitrary(consumer, Math.min(consumer, sources)), { minLength: 1, maxLength: 2 })],
      )
      return fc.tuple(...each).map(lists => ({ stages, subscriptions: lists.flat(), actions }))
    })
}

function subscriptionArbitrary(consumer: number, sources: number): fc.Arbitrary<SubscriptionPlan> {
  return fc
    .record({
      consumer: fc.constant(consumer),
      producer: fc.nat({ max: sources - 1 }),
      maxDemand: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 30 })),
      share: fc.double({ min: 0, max: 0.999, noNaN: true }),
      cancel: fc.constantFrom('permanent' as const, 'transient' as const, 'temporary' as const, 'temporary' as const),
      manual: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, { arbitrary: fc.constant(true), weight: 1 }),
      selective: fc.boolean(),
      partition: fc.nat({ max: 2 }),
    })
    .map(({ share, ...plan }) => ({ ...plan, minDemand: Math.floor(plan.maxDemand * share) }))
}
