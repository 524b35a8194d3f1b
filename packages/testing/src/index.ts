/**
 * `@genstage/testing`: time, chance and order in the hands of a test, probes to stand at both ends of a pipeline, and the invariants
 * that hold for every topology. Knows no test framework; the arbitraries for fast-check are in `@genstage/testing/arbitraries`.
 */
export { VirtualClock } from './virtual-clock.ts'
export { seededRandom } from './seeded-random.ts'
export { type Chooser, SimulatedScheduler } from './simulated-scheduler.ts'
export { type LogLine, Simulation, type SimulationOptions } from './simulation.ts'
export { type ProbeConsumer, probeConsumer, type ProbeProducer, probeProducer } from './probes.ts'
export { Ledger, type StageRecord, type SubscriptionRecord } from './ledger.ts'
export {
  checkAtRest,
  checkBroadcast,
  checkConservation,
  checkDemand,
  checkOnce,
  checkOrder,
  checkPartitions,
  checkStages,
  checkSubscriptions,
  finalInvariants,
  type Invariant,
} from './invariants.ts'
export { type RunOptions, type RunResult, runTopology } from './simulated-topology.ts'
export type {
  Action,
  ConsumerPlan,
  ProducerConsumerPlan,
  ProducerPlan,
  StagePlan,
  SubscriptionPlan,
  TopologyPlan,
} from './topology-plan.ts'
