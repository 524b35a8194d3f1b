import { join } from 'node:path'
import { openClient, sqliteStore } from '../../src/index.ts'
import type { PlannedJob } from '../child/commands.ts'
import type { FatalCall, FatalPlace, PlainRunnerOptions } from '../child/opening.ts'
import { Field } from '../field.ts'
import { between, type Context, inLanes, pick, type Scenario, uuid } from '../scenario.ts'
import { addTally, emptyTally, type Tally } from '../tally.ts'
import { hardy, underLoad, workload } from '../under-load.ts'
import { died } from './kill-inside-calls.ts'

const places: readonly [FatalPlace, ...FatalPlace[]] = ['before', 'inside', 'before commit', 'after commit', 'answered']

/** F7: the duties that keep a store in order. Those of cron are no part of this package. */
export const killInUpkeep: Scenario = {
  id: 'F7',
  fault: 'kill -9 in a heartbeat, a rescue, a pruning, a migration, of each so many',
  rounds: 50,
  async run(context) {
    const tally = emptyTally()
    addTally(tally, await dying(context, 'heartbeat', { heartbeatMs: 20 }))
    addTally(tally, await dying(context, 'rescue', { sweepMs: 10 }))
    addTally(tally, await inPruning(context))
    addTally(tally, await inMigration(context))
    return { tally, seen: 'the next process finished the work', rounds: context.rounds * 4 }
  },
}

function dying(context: Context, method: 'heartbeat' | 'rescue', options: Partial<PlainRunnerOptions>): Promise<Tally> {
  const { random } = context
  return underLoad(context, {}, async field => {
    const fatal: FatalCall = {
      method,
      nth: between(random, 1, 3),
      place: pick(random, places),
      statements: between(random, 1, 6),
    }
    await died(field, field.runner({ ...hardy, ...options }, { fatal }), fatal)
  })
}

/** Only jobs that failed are old enough; all others must be there in the end (JOB-14). */
async function inPruning(context: Context): Promise<Tally> {
  const { random } = context
  const doomed = new Set<string>()
  const jobs = (_: () => number, count: number): readonly PlannedJob[] =>
    workload(random, count).map(job => {
      if (random() < 0.5) return job
      doomed.add(job.id)
      return { id: job.id, kind: 'again', args: { failures: 9 }, options: { maxAttempts: 1 } }
    })
  const expected = (id: string): readonly ('completed' | 'failed' | 'gone')[] =>
    doomed.has(id) ? ['failed', 'gone'] : ['completed']
  const retention = { failedMs: 0 }
  // One at a time: only the leader prunes, and one that lives stays it
  return underLoad(context, { lanes: 1, jobs, field: { expected } }, async field => {
    const fatal: FatalCall = { method: 'prune', nth: 1, place: pick(random, places), statements: between(random, 1, 6) }
    await died(field, field.runner({ ...hardy, sweepMs: 10, retention }, { fatal }), fatal)
  })
}

/** Each on a file of its own: whoever comes next finishes it, also when many come at once (JOB-20). */
async function inMigration(context: Context): Promise<Tally> {
  const { random } = context
  const field = new Field(context)
  try {
    await inLanes(context.rounds, 2, async round => {
      const path = join(context.folder, `${uuid(random)}.db`)
      const fatal: FatalCall = { method: 'open', nth: 1, place: pick(random, places), statements: between(random, 1, 14) }
      await died(field, field.spawn({ path, fatal }), fatal)
      // Every tenth time twenty processes come at once
      const others = Array.from({ length: round % 10 === 9 ? 20 : 0 }, () => field.spawn({ path }))
      const client = openClient({ store: sqliteStore(path) })
      try {
        await Promise.all([client.ready, ...others.map(({ ready }) => ready)])
        await client.enqueue('work', { ms: 0 })
        const depth = await client.queueDepth('default')
        if (depth !== 1) field.books.violated('JOB-20', `after a migration that was cut off there are ${depth} jobs instead of 1`)
      } catch (error) {
        field.books.violated('JOB-20', `after a migration that was cut off: ${String(error)}`)
      }
      await client.close()
      await Promise.all(others.map(child => child.kill()))
      context.passed()
    })
    return field.books.tally
  } finally {
    await field.close()
  }
}
