import type { TopologyPlan } from '@genstage/testing'

/** Plans that once violated an invariant, or made a planted bug visible, as fast-check had shortened them. */
export const regressions: readonly { readonly name: string; readonly seed: number; readonly plan: TopologyPlan }[] = [
  {
    name: 'INV-5 INV-24 an event emitted while accumulating, and demand that is replayed',
    seed: 390_870_773,
    plan: {
      stages: [
        {
          type: 'producer',
          dispatcher: 'demand',
          bufferSize: 0,
          bufferKeep: 'first',
          source: 'exact',
          limit: 1,
          demand: 'accumulate',
        },
        { type: 'consumer', handler: 'async', failAt: 1 },
      ],
      subscriptions: [
        {
          consumer: 1,
          producer: 0,
          maxDemand: 5,
          minDemand: 0,
          cancel: 'permanent',
          manual: false,
          selective: false,
          partition: 0,
        },
      ],
      actions: [
        { type: 'emit', stage: 0, count: 1 },
        { type: 'demand', stage: 0, mode: 'forward' },
      ],
    },
  },
  {
    name: 'INV-4 a stage in the middle that never settles holds back the asks of its consumers, not those of others',
    seed: 260_069_094,
    plan: {
      stages: [
        {
          type: 'producer',
          dispatcher: 'demand',
          bufferSize: 0,
          bufferKeep: 'first',
          source: 'exact',
          limit: 1,
          demand: 'forward',
        },
        {
          type: 'producerConsumer',
          dispatcher: 'demand',
          bufferSize: 0,
          bufferKeep: 'first',
          handler: 'never',
          failAt: 1,
          transform: 'same',
        },
        { type: 'consumer', handler: 'sync', failAt: 1 },
        { type: 'consumer', handler: 'sync', failAt: 1 },
      ],
      subscriptions: [
        {
          consumer: 1,
          producer: 0,
          maxDemand: 5,
          minDemand: 0,
          cancel: 'permanent',
          manual: false,
          selective: false,
          partition: 0,
        },
        {
          consumer: 2,
          producer: 1,
          maxDemand: 5,
          minDemand: 0,
          cancel: 'permanent',
          manual: false,
          selective: false,
          partition: 0,
        },
        {
          consumer: 3,
          producer: 0,
          maxDemand: 1,
          minDemand: 0,
          cancel: 'permanent',
          manual: false,
          selective: false,
          partition: 0,
        },
      ],
      actions: [{ type: 'subscribe', subscription: 1 }],
    },
  },
]
