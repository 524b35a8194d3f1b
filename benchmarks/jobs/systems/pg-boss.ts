/** pg-boss on Postgres: with its defaults, as its documentation tunes it, and by its own fetch and complete in a loop. */
import pg from 'pg'
import { PgBoss, type WorkOptions } from 'pg-boss'
import { installedVersion } from '../../harness/installed-version.ts'
import type { JobSystem, OpenJobSystem } from '../job-system.ts'
import { ownName } from '../own-name.ts'
import type { Payload } from '../payload.ts'
import { dropSchema } from '../servers/drop-schema.ts'
import { urlOf } from '../servers/server.ts'
import { everyRunner } from '../workloads.ts'

const version = installedVersion('pg-boss')
const queue = 'notes'

/** How it works on jobs. */
type Work = (boss: PgBoss, concurrency: number, handle: (job: Payload) => void) => Promise<() => Promise<unknown>>

/** `concurrency` workers that each poll for one job every two seconds: of its backlog one would not see the end. */
export const pgBoss: JobSystem = {
  label: `pg-boss ${version}`,
  server: 'postgres',
  module: 'pg-boss',
  has: [...everyRunner.filter(id => id !== 'backlog'), 'import'],
  open: () =>
    open(
      false,
      workWith(concurrency => ({ localConcurrency: concurrency })),
    ),
}

/**
 * One worker that takes a batch, again at once while batches are full, and is notified when a job comes. How many jobs of a batch run
 * at a time is up to its handler, so that every concurrency has the batches that are fastest.
 */
export const pgBossTuned: JobSystem = {
  label: `pg-boss ${version} tuned`,
  server: 'postgres',
  has: everyRunner,
  open: () =>
    open(
      true,
      workWith(() => ({ batchSize, burstWhenBatchFull: true })),
    ),
}

/** Not its worker: what its store can do. */
export const pgBossLoop: JobSystem = {
  label: `pg-boss ${version} fetch loop`,
  server: 'postgres',
  has: ['process-100', 'backlog'],
  open: () => open(false, fetchLoop),
}

const batchSize = 500

function workWith(optionsOf: (concurrency: number) => WorkOptions): Work {
  return async (boss, concurrency, handle) => {
    const options: WorkOptions = optionsOf(concurrency)
    await boss.work<Payload>(queue, options, async jobs => {
      for (const job of jobs) handle(job.data)
    })
    return () => boss.offWork(queue, { wait: true })
  }
}

const fetchLoop: Work = async (boss, _, handle) => {
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      const jobs = await boss.fetch<Payload>(queue, { batchSize })
      for (const { data } of jobs) handle(data)
      const ids = jobs.map(job => job.id)
      if (ids.length > 0) await boss.complete(queue, ids)
    }
  })()
  return () => {
    stopped = true
    return loop
  }
}

async function open(notify: boolean, work: Work): Promise<OpenJobSystem> {
  const schema = ownName('pgboss')
  const connectionString = urlOf('postgres')
  const boss = new PgBoss({ connectionString, schema, useListenNotify: notify })
  boss.on('error', error => {
    throw error
  })
  await boss.start()
  await boss.createQueue(queue, { notify })
  const pool = new pg.Pool({ connectionString, max: 1 })
  return {
    add: job => boss.send(queue, job),
    addMany(jobs) {
      const inserts = jobs.map(data => ({ data }))
      return boss.insert(queue, inserts)
    },
    settle: () => pool.query(`analyze "${schema}".job`),
    work: (concurrency, handle) => work(boss, concurrency, handle),
    clear: () => boss.deleteQueuedJobs(queue),
    async close() {
      await boss.stop({ graceful: false })
      await dropSchema(pool, schema)
      await pool.end()
    },
  }
}
