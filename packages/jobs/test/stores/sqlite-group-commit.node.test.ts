import { describe, expect, it } from 'vitest'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import type { Hint } from '../../src/store.ts'
import { newJob, openStore } from './sqlite-files.ts'

/** A driver that counts transactions. */
async function counting(): Promise<{ readonly driver: SqliteDriver; readonly count: { commits: number; begins: number } }> {
  const real = chooseDriver('auto')
  const count = { commits: 0, begins: 0 }
  const open = (path: string): SqliteConnection => {
    const connection = real.open(path)
    const exec = (sql: string): void => {
      if (sql === 'COMMIT') count.commits++
      if (sql === 'BEGIN IMMEDIATE') count.begins++
      connection.exec(sql)
    }
    return { ...connection, exec }
  }
  return { driver: { ...real, open }, count }
}

const runner = { id: 'r', host: 'h', pid: 1, queues: [] }

describe('group commit', () => {
  it('GOAL-8 makes one transaction of 50 inserts of a turn', async () => {
    const { driver, count } = await counting()
    const { store } = await openStore({ driver })
    count.commits = 0
    const all = await Promise.all(Array.from({ length: 50 }, () => store.insert([newJob()])))
    expect(all.flat().every(({ outcome }) => outcome === 'inserted')).toBe(true)
    expect(count.commits).toBe(1)
  })

  it('lets a claim that a hint has woken join the transaction of the insert, and see its jobs', async () => {
    const { driver, count } = await counting()
    const { store } = await openStore({ driver })
    await store.register(runner, 30_000)
    count.commits = 0
    const claims: ReturnType<typeof store.claim>[] = []
    store.listen((hint: Hint) => {
      if (hint.type === 'waiting') claims.push(store.claim({ runner: 'r', queue: hint.queue, limit: 5, kinds: ['k'] }))
    })
    await store.insert([newJob()])
    expect(claims).toHaveLength(1)
    expect((await claims[0])?.jobs).toHaveLength(1)
    expect(count.commits).toBe(1)
  })

  it('BAD-102 undoes what is refused alone, whatever came before it in its call', async () => {
    const { store } = await openStore()
    const taken = newJob()
    await store.insert([taken])
    const answers = await Promise.allSettled([
      store.insert([newJob({ queue: 'before' })]),
      store.insert([newJob({ queue: 'refused' }), { ...taken, args: '"other"' }]),
      store.insert([newJob({ queue: 'after' }), newJob({ queue: 'after' })]),
      store.removeQueue('after'),
      store.removeQueue('never'),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(answers[1]).toMatchObject({ reason: { code: 'ID_CONFLICT', index: 1 } })
    expect(answers[3]).toMatchObject({ reason: { code: 'QUEUE_NOT_EMPTY' } })
    const { queues } = await store.stats()
    expect(Object.entries(queues).map(([name, { waiting }]) => [name, waiting])).toEqual([
      ['after', 2],
      ['before', 1],
      ['q', 1],
    ])
  })

  it('cuts what is long into several transactions, in order', async () => {
    const { driver, count } = await counting()
    const { store } = await openStore({ driver })
    count.commits = 0
    const batches = Array.from({ length: 10 }, () => Array.from({ length: 100 }, () => newJob()))
    const inserted = await Promise.all(batches.map(batch => store.insert(batch)))
    expect(inserted.flat()).toHaveLength(1_000)
    expect(count.commits).toBeGreaterThanOrEqual(4)
    const { jobs } = await store.list({ limit: 1_000 })
    expect(jobs.map(({ id }) => id).toReversed()).toEqual(batches.flat().map(({ id }) => id))
  })

  it('takes no write lock to read', async () => {
    const { driver, count } = await counting()
    const { store } = await openStore({ driver })
    count.begins = 0
    await Promise.all([store.find(['x']), store.logs('x'), store.runners()])
    expect(count.begins).toBe(0)
  })

  it('finishes what was called before it closes', async () => {
    const { store, path } = await openStore()
    const inserted = store.insert([newJob()])
    const stats = store.stats()
    await store.close()
    expect(await inserted).toHaveLength(1)
    expect((await stats).queues['q']?.waiting).toBe(1)
    const { store: again } = await openStore({ path })
    expect((await again.stats()).queues['q']?.waiting).toBe(1)
  })
})
