/** graphile-worker on Postgres, with its defaults and as its page on performance advises. Completed jobs are deleted: it has no history. */
import { Logger, makeWorkerUtils, run, type RunnerOptions } from 'graphile-worker'
import pg from 'pg'
import { installedVersion } from '../../harness/installed-version.ts'
import type { JobSystem, OpenJobSystem } from '../job-system.ts'
import { ownName } from '../own-name.ts'
import type { Payload } from '../payload.ts'
import { dropSchema } from '../servers/drop-schema.ts'
import { urlOf } from '../servers/server.ts'
import { everyRunner } from '../workloads.ts'

const version = installedVersion('graphile-worker')

export const graphile: JobSystem = {
  label: `graphile-worker ${version}`,
  server: 'postgres',
  module: 'graphile-worker',
  has: [...everyRunner, 'import'],
  open: () => open({}),
}

export const graphileTuned: JobSystem = {
  label: `graphile-worker ${version} tuned`,
  server: 'postgres',
  has: everyRunner,
  open: () => open({ preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0 } } }),
}

const logger = new Logger(() => () => {})

async function open(options: Pick<RunnerOptions, 'preset'>): Promise<OpenJobSystem> {
  const schema = ownName('graphile')
  const pgPool = new pg.Pool({ connectionString: urlOf('postgres'), max: 20 })
  pgPool.on('error', () => {})
  pgPool.on('connect', client => void client.on('error', () => {}))
  const shared = { pgPool, schema, logger, ...options }
  const utils = await makeWorkerUtils(shared)
  await utils.migrate()
  return {
    add: job => utils.addJob('note', job),
    addMany: jobs => utils.addJobs(jobs.map(payload => ({ identifier: 'note', payload }))),
    settle: () => pgPool.query(`analyze "${schema}"._private_jobs`),
    async work(concurrency, handle) {
      const runner = await run({
        ...shared,
        concurrency,
        noHandleSignals: true,
        taskList: { note: async payload => handle(payload as Payload) },
      })
      return () => runner.stop()
    },
    clear: () => pgPool.query(`truncate "${schema}"._private_jobs`),
    async close() {
      await utils.release()
      await dropSchema(pgPool, schema)
      await pgPool.end()
    },
  }
}
