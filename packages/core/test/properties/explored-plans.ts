import type {
  ChildPlan,
  ConsumerPlan,
  ProducerConsumerPlan,
  ProducerPlan,
  SubscriptionPlan,
  TopologyPlan,
  TreePlan,
} from '@genstage/testing'

/** A small topology that is explored to the end. */
export interface ExploredPlan {
  readonly name: string
  /** How many states there are: it changes with what stages say to each other, and with nothing else. */
  readonly states: number
  readonly plan: TopologyPlan
}

/** Small topologies, each with something that happens to it at every possible moment. */
export const exploredPlans: readonly ExploredPlan[] = [
  {
    name: 'INV-1 INV-6 INV-7 INV-12 one producer, two consumers, one of which cancels',
    states: 6_670,
    plan: {
      stages: [producer(2), consumer(), consumer()],
      subscriptions: [subscription(1, 0), subscription(2, 0)],
      actions: [{ type: 'cancel', subscription: 0, side: 'consumer', graceful: true }],
    },
  },
  {
    name: 'INV-8 a broadcast with a late joiner',
    states: 346,
    plan: {
      stages: [producer(2, { dispatcher: 'broadcast' }), consumer(), consumer()],
      subscriptions: [subscription(1, 0), subscription(2, 0)],
      actions: [],
    },
  },
  {
    name: 'INV-9 INV-18 a partition dispatcher, one of whose consumers crashes',
    states: 13_755,
    plan: {
      stages: [producer(3, { dispatcher: 'partition' }), consumer(), consumer()],
      subscriptions: [subscription(1, 0), subscription(2, 0, { partition: 1, cancel: 'permanent' })],
      actions: [{ type: 'crash', stage: 1 }],
    },
  },
  {
    name: 'INV-13 INV-19 a stage in the middle whose producer ends',
    states: 9_189,
    plan: {
      stages: [producer(2), middle(), consumer()],
      subscriptions: [subscription(1, 0, { cancel: 'permanent' }), subscription(2, 1, { cancel: 'transient' })],
      actions: [{ type: 'stop', stage: 0, drain: false }],
    },
  },
  {
    name: 'INV-6 a stage in the middle whose producer drains',
    states: 41_895,
    plan: {
      stages: [producer(1), middle(), consumer()],
      subscriptions: [subscription(1, 0, { cancel: 'permanent' }), subscription(2, 1, { cancel: 'transient' })],
      actions: [{ type: 'stop', stage: 0, drain: true }],
    },
  },
  {
    name: 'GS-S9 INV-13 a resubscription',
    states: 549,
    plan: {
      stages: [producer(3), consumer()],
      subscriptions: [subscription(1, 0, { cancel: 'permanent', maxDemand: 2, minDemand: 1 })],
      actions: [{ type: 'resubscribe', subscription: 0 }],
    },
  },
  {
    name: 'INV-5 INV-6 INV-21 two producers, and a consumer that is stopped',
    states: 4_985,
    plan: {
      stages: [producer(2), producer(2), consumer()],
      subscriptions: [subscription(2, 0), subscription(2, 1)],
      actions: [{ type: 'stop', stage: 2, drain: false }],
    },
  },
  {
    name: 'INV-15 an asynchronous consumer beside a synchronous one',
    states: 251,
    plan: {
      stages: [producer(2), consumer({ handler: 'async' }), consumer()],
      subscriptions: [subscription(1, 0), subscription(2, 0)],
      actions: [],
    },
  },
]

/** A small tree of supervisors that is explored to the end. */
export interface ExploredTree {
  readonly name: string
  readonly states: number
  readonly plan: TreePlan
}

const intensity = { maxRestarts: 3, maxSeconds: 5, backoffMs: 0 }

/** Small trees, each with a child that crashes at every possible moment. */
export const exploredTrees: readonly ExploredTree[] = [
  {
    name: 'INV-20 INV-21 a supervisor that restarts all for the crash of one',
    states: 509,
    plan: {
      stages: [producer(0), consumer()],
      subscriptions: [],
      root: { ...intensity, strategy: 'one_for_all', children: [leaf(0), leaf(1)] },
      actions: [{ type: 'crash', stage: 0 }],
    },
  },
  {
    name: 'INV-18 INV-20 a supervisor that restarts one and those behind it',
    states: 526,
    plan: {
      stages: [producer(0), consumer(), consumer()],
      subscriptions: [],
      root: { ...intensity, strategy: 'rest_for_one', children: [leaf(0), leaf(1), leaf(2)] },
      actions: [{ type: 'crash', stage: 1 }],
    },
  },
  {
    name: 'INV-20 a supervisor that gives up, below one that restarts it',
    states: 285,
    plan: {
      stages: [producer(0)],
      subscriptions: [],
      root: {
        ...intensity,
        strategy: 'one_for_one',
        children: [
          {
            supervisor: { ...intensity, maxRestarts: 0, strategy: 'one_for_one', children: [leaf(0)] },
            restart: 'permanent',
            shutdown: 'infinity',
          },
        ],
      },
      actions: [{ type: 'crash', stage: 0 }],
    },
  },
]

function leaf(stage: number): ChildPlan {
  return { stage, restart: 'permanent', shutdown: 100 }
}

export function producer(limit: number, rest: Partial<ProducerPlan> = {}): ProducerPlan {
  return {
    type: 'producer',
    dispatcher: 'demand',
    bufferSize: 10,
    bufferKeep: 'last',
    source: 'exact',
    limit,
    demand: 'forward',
    ...rest,
  }
}

export function middle(rest: Partial<ProducerConsumerPlan> = {}): ProducerConsumerPlan {
  return {
    type: 'producerConsumer',
    dispatcher: 'demand',
    bufferSize: 10,
    bufferKeep: 'last',
    transform: 'same',
    handler: 'sync',
    failAt: 1,
    ...rest,
  }
}

export function consumer(rest: Partial<ConsumerPlan> = {}): ConsumerPlan {
  return { type: 'consumer', handler: 'sync', failAt: 1, ...rest }
}

/** Asks for one event at a time, unless `rest` says otherwise. */
export function subscription(consumer: number, producer: number, rest: Partial<SubscriptionPlan> = {}): SubscriptionPlan {
  return {
    consumer,
    producer,
    maxDemand: 1,
    minDemand: 0,
    cancel: 'temporary',
    manual: false,
    selective: false,
    partition: 0,
    ...rest,
  }
}
