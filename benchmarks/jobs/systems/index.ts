import type { JobSystem } from '../job-system.ts'

/** The job runners in the order of the tables. Each is loaded in its own process alone. */
const loaders = {
  genstage: async () => (await import('./genstage.ts')).genstageSqlite,
  'genstage-memory': async () => (await import('./genstage.ts')).genstageMemory,
  'sqlite-loop': async () => (await import('./sqlite-loop.ts')).sqliteLoop,
  bullmq: async () => (await import('./bullmq.ts')).bullmq,
  graphile: async () => (await import('./graphile-worker.ts')).graphile,
  'graphile-tuned': async () => (await import('./graphile-worker.ts')).graphileTuned,
  'pg-boss': async () => (await import('./pg-boss.ts')).pgBoss,
  'pg-boss-tuned': async () => (await import('./pg-boss.ts')).pgBossTuned,
  'pg-boss-loop': async () => (await import('./pg-boss.ts')).pgBossLoop,
} satisfies Record<string, () => Promise<JobSystem>>

export type SystemId = keyof typeof loaders

export const systemIds = Object.keys(loaders) as readonly SystemId[]

export function isSystemId(id: string): id is SystemId {
  return Object.hasOwn(loaders, id)
}

/** Ours: built before they are measured, and with the longer backlog. */
export function isOwn(id: SystemId): boolean {
  return id === 'genstage' || id === 'genstage-memory'
}

export function loadSystem(id: SystemId): Promise<JobSystem> {
  return loaders[id]()
}
