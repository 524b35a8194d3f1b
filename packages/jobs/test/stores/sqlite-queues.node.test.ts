import { describe, expect, it } from 'vitest'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import { newJob, openStore } from './sqlite-files.ts'

/** A driver that counts how often jobs are removed. */
function counting(): { readonly driver: SqliteDriver; removals: number } {
  const real = chooseDriver('auto')
  const count = { driver: real, removals: 0 }
  const open = (path: string): SqliteConnection => {
    const connection = real.open(path)
    const prepare: SqliteConnection['prepare'] = sql => {
      const { run, get, all } = connection.prepare(sql)
      const isRemoval = sql.startsWith('DELETE FROM jobs')
      return { run, get, all: params => (isRemoval && count.removals++, all(params)) }
    }
    return { ...connection, prepare }
  }
  count.driver = { ...real, open }
  return count
}

const kinds = Array.from({ length: 20 }, (_, n) => `kind-${n}`)

describe('queues of many kinds', () => {
  it('ROW-R16 a queue is removed at one go, however many kinds it has, and one that is empty without a look at the jobs', async () => {
    const count = counting()
    const { store } = await openStore({ driver: count.driver })
    await store.register({ id: 'r', host: 'h', pid: 1, queues: [] }, 1e9)
    for (const queue of ['empty', 'full']) await store.insert(kinds.map(kind => newJob({ queue, kind })))
    await store.insert([newJob({ kind: 'kind-1' })])
    expect(await store.clearQueue('empty')).toBe(20)
    const { jobs } = await store.claim({ runner: 'r', queue: 'full', limit: 99, kinds })
    await store.settle(jobs.map(({ seq, token }) => ({ seq, token, ranMs: 1, to: 'completed' })))
    count.removals = 0
    await store.removeQueue('empty')
    expect(count.removals).toBe(0)
    await store.removeQueue('full')
    expect(count.removals).toBe(1)
    expect((await store.list({ limit: 99 })).jobs.map(({ queue }) => queue)).toEqual(['q'])
    expect(Object.keys((await store.stats()).queues)).toEqual(['q'])
  })

  it('JOB-19 a kind that is named twice gives its jobs once', async () => {
    const { store } = await openStore()
    await store.register({ id: 'r', host: 'h', pid: 1, queues: [] }, 1e9)
    await store.insert(['a', 'b', 'a'].map(kind => newJob({ kind })))
    const { jobs } = await store.claim({ runner: 'r', queue: 'q', limit: 99, kinds: ['b', 'a', 'unknown', 'a'] })
    expect(jobs.map(({ kind }) => kind)).toEqual(['a', 'b', 'a'])
  })
})
