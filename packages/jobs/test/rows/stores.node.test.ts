import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { discard, kind, memoryStore, sqliteStore, type Store, startRunner } from '../../src/index.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** The same program on a store: what can be seen of it. */
async function program(store: Store): Promise<unknown> {
  const Work = kind('work', {
    backoff: () => 1,
    handler: async (n: number, { attempt, progress }) => {
      if (n % 5 === 0) return discard('every fifth')
      if (n % 3 === 0 && attempt === 1) throw new Error(`once ${n}`)
      progress(n)
      return n * n
    },
  })
  const runner = startRunner({
    store,
    kinds: [Work],
    queues: { default: 3 },
    logger,
    signals: false,
    strayErrors: 'ignore',
    pollMs: 20,
  })
  const jobs = await runner.enqueueMany(Work, [1, 2, 3, 4, 5, 6])
  await runner.enqueue(Work, 100, { delayMs: 3_600_000, unique: 'late', tags: ['late'] })
  const again = await runner.enqueue(Work, 101, { unique: 'late' })
  const results = await Promise.all(jobs.map(job => job.result().catch((error: { code: string }) => error.code)))
  const found = await Promise.all(jobs.map(job => job.find()))
  const { processed, failed, queues } = await runner.stats()
  await runner.stop()
  return {
    results,
    found: found.map(job => [
      job?.state,
      job?.attempt,
      job?.progress,
      job?.error?.message,
      job?.history.map(each => each.outcome),
    ]),
    counts: [processed, failed, queues],
    again: again.outcome,
  }
}

describe('ROW-R15 the store is an interface', () => {
  it('the same program gives the same on the in-memory and on the embedded store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'genstage-rows-'))
    try {
      expect(await program(sqliteStore(join(folder, 'jobs.db')))).toEqual(await program(memoryStore()))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
