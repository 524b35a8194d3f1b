/** `@genstage/jobs` with its defaults: completed jobs are kept, SQLite syncs every commit. */
import { kind, memoryStore, openClient, sqliteStore, startRunner, type Store } from '@genstage/jobs'
import type { JobSystem, OpenJobSystem } from '../job-system.ts'
import type { Payload } from '../payload.ts'
import { temporaryFolder } from '../servers/server-process.ts'
import { everyRunner } from '../workloads.ts'

export const genstageSqlite: JobSystem = {
  label: 'genstage, SQLite',
  module: '@genstage/jobs',
  has: [...everyRunner, 'process-1000', 'import', 'fresh-machine'],
  async open() {
    const folder = temporaryFolder('genstage')
    const system = await open(sqliteStore(`${folder.path}/jobs.db`))
    return {
      ...system,
      async close() {
        await system.close()
        folder.remove()
      },
    }
  },
}

/** The engine without a disk: what it costs by itself. */
export const genstageMemory: JobSystem = {
  label: 'genstage, memory',
  has: [...everyRunner, 'process-1000'],
  open: () => open(memoryStore()),
}

/** Client and runner share the store, as they do in a program that is both. */
async function open(store: Store): Promise<OpenJobSystem> {
  let handleNow: (job: Payload) => void = () => {}
  const note = kind('note', (job: Payload) => handleNow(job))
  const client = openClient({ store })
  await client.ready
  return {
    add: job => client.enqueue(note, job),
    addMany: jobs => client.enqueueMany(note, jobs),
    async work(concurrency, handle) {
      handleNow = handle
      const runner = startRunner({ store, kinds: [note], queues: { default: concurrency }, signals: false })
      await runner.ready
      return () => runner.stop()
    },
    clear: () => client.clearQueue('default'),
    close: () => client.close(),
  }
}
