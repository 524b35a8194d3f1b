/**
 * `@genstage/testing/contracts`: suites for what others build, as cases that any test framework can run. Needs fast-check, which is
 * why it is an entry of its own.
 */
export { type ContractRuns, type DispatcherCapabilities, dispatcherContract } from './dispatcher-contract.ts'
export { type ContractCase, ContractError } from './contract.ts'
