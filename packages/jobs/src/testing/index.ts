/** `@genstage/jobs/testing`: helpers for tests of jobs, and the suites that every store has to pass. */

// jobs without waiting
export { type DrainOptions, type Drained, type Ran, type TestRunner, testRunner } from './test-runner.ts'
export type { TestRunnerOptions } from './test-runner-options.ts'
export type { EnqueuedFilter } from './enqueued-jobs.ts'
export { type GeneratedArgs, type GeneratedJob, generatedKinds, generateJobs, type GenerateJobsOptions } from './generate-jobs.ts'

// stores
export {
  type FaultPlan,
  faultyStore,
  type OneFault,
  oneFault,
  type StoreCall,
  storeFault,
  type StoreMethod,
} from './faulty-store.ts'
export { type OpenStore, storeContract, storeModel, type StoreModelRuns, type StoreUnderTest } from './store-contract.ts'
