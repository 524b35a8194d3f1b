/** BullMQ on Redis with its defaults: completed jobs are kept. */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { installedVersion } from '../../harness/installed-version.ts'
import type { JobSystem, OpenJobSystem } from '../job-system.ts'
import { ownName } from '../own-name.ts'
import type { Payload } from '../payload.ts'
import { urlOf } from '../servers/server.ts'
import { everyRunner } from '../workloads.ts'

export const bullmq: JobSystem = {
  label: `BullMQ ${installedVersion('bullmq')}`,
  server: 'redis',
  module: 'bullmq',
  has: [...everyRunner, 'import'],
  open: async () => open(ownName('bullmq')),
}

async function open(name: string): Promise<OpenJobSystem> {
  // A worker waits with a command that blocks, which may last longer than the client would retry it.
  const connect = () => new Redis(urlOf('redis'), { maxRetriesPerRequest: null })
  const connection = connect()
  const queue = new Queue<Payload>(name, { connection })
  await queue.waitUntilReady()
  return {
    add: job => queue.add('note', job),
    addMany: jobs => queue.addBulk(jobs.map(data => ({ name: 'note', data }))),
    async work(concurrency, handle) {
      const own = connect()
      const worker = new Worker<Payload>(name, async ({ data }) => handle(data), { connection: own, concurrency })
      worker.on('error', error => {
        throw error
      })
      await worker.waitUntilReady()
      return async () => {
        await worker.close()
        own.disconnect()
      }
    },
    clear: () => queue.drain(true),
    async close() {
      await queue.obliterate({ force: true })
      await queue.close()
      connection.disconnect()
    },
  }
}
