import type { Peer } from '../peer.ts'

/** The peers in the order of the tables. Each is loaded in its own process alone, so that none warms up code for another. */
const loaders = {
  limit: async () => (await import('./limit.ts')).limit,
  genstage: async () => (await import('./genstage.ts')).genstage,
  rxjs: async () => (await import('./rxjs.ts')).rxjs,
  effect: async () => (await import('./effect.ts')).effect,
  'node-streams': async () => (await import('./node-streams.ts')).nodeStreams,
  'web-streams': async () => (await import('./web-streams.ts')).webStreams,
  'async-generators': async () => (await import('./async-generators.ts')).asyncGenerators,
  'async-generators-of-arrays': async () => (await import('./async-generators-of-arrays.ts')).asyncGeneratorsOfArrays,
  'p-queue': async () => (await import('./p-queue.ts')).pQueue,
  'streaming-iterables': async () => (await import('./streaming-iterables.ts')).streamingIterables,
} satisfies Record<string, () => Promise<Peer>>

export type PeerId = keyof typeof loaders

export const peerIds = Object.keys(loaders) as readonly PeerId[]

export function isPeerId(id: string): id is PeerId {
  return id in loaders
}

export function loadPeer(id: PeerId): Promise<Peer> {
  return loaders[id]()
}
