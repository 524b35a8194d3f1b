/**
 * `@genstage/testing/arbitraries`: fast-check arbitraries of topologies, trees and schedules. Needs fast-check, which is why it is an
 * entry of its own.
 */
export { actionArbitrary, topologyArbitrary, type TopologyConstraints } from './topology-arbitraries.ts'
export { treeActionArbitrary, treeArbitrary } from './tree-arbitraries.ts'
