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
export { type RunOptions, type RunResult, runTopology } from './run-topology.ts'
export { runTree, type TreeResult } from './run-tree.ts'
export type { ChildPlan, SupervisorPlan, TreeAction, TreePlan } from './tree-plan.ts'
export { explore, replay } from './exploration/explore.ts'
export type { CounterExample, Exploration, ExploreOptions, Play, PlayAction, Scene } from './exploration/scene.ts'
export { exploreTopology, topologyScene, treeScene } from './exploration/explore-topology.ts'
export { adapterContract } from './adapters/adapter-contract.ts'
export type { AdapterCapabilities, OpenSink, OpenSource, SinkAdapter, SinkOptions, SourceAdapter } from './adapters/adapter.ts'
export { claim, claimSame, type ContractCase, ContractError } from './contract.ts'
export type {
  Action,
  ConsumerPlan,
  ProducerConsumerPlan,
  ProducerPlan,
  ProducingPlan,
  StagePlan,
  SubscriptionPlan,
  TopologyPlan,
} from './topology-plan.ts'
