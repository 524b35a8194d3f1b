import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JobsError } from '../../src/errors.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { drivers, newJob, openStore, quiet, temporaryFolder } from './sqlite-files.ts'
import { VirtualClock } from '@genstage/testing'

const runner = { id: 'r', host: 'h', pid: 1, queues: [] }

/** A driver whose nth write fails as a full disk, or a broken one, does. */
function failing(real: SqliteDriver, code: number): { readonly driver: SqliteDriver; failAt: number; writes: number } {
  class Fault extends Error {
    readonly faultCode = code
  }
  const state = { failAt: Infinity, writes: 0, driver: real }
  const guard = (sql: string): void => {
    if (/^\s*(COMMIT|INSERT|UPDATE|DELETE)/.test(sql) && ++state.writes === state.failAt) throw new Fault('fault')
  }
  const open = (path: string): SqliteConnection => {
    const connection = real.open(path)
    return {
      ...connection,
      exec: sql => (guard(sql), connection.exec(sql)),
      prepare(sql) {
        const { run, get, all } = connection.prepare(sql)
        return {
          run: params => (guard(sql), run(params)),
          get: params => (guard(sql), get(params)),
          all: params => (guard(sql), all(params)),
        }
      },
    }
  }
  state.driver = { ...real, open, codeOf: error => (error instanceof Fault ? error.faultCode : real.codeOf(error)) }
  return state
}

describe.each([
  [13, 'STORE_FULL'],
  [778, 'STORE_FAILED'],
  [11, 'STORE_CORRUPT'],
])('a write that fails with code %i', (code, ours) => {
  it(`F32 rejects with ${ours}, changes nothing, and works again afterwards, whichever write it is`, async () => {
    const fault = failing(chooseDriver('auto'), code)
    const { store } = await openStore({ driver: fault.driver })
    await store.register(runner, 30_000)
    let tries = 0
    for (let nth = 1; ; nth++) {
      const [a, b, c] = [newJob(), newJob(), newJob({ unique: { key: `k${nth}`, until: 'finished', conflict: 'keep' } })]
      await store.insert([a, b, c])
      const { jobs } = await store.claim({ runner: 'r', queue: 'q', limit: 2, kinds: ['k'] })
      const before = await Promise.all([store.stats(), store.list({ limit: 10 })])
      const [first, second] = jobs
      if (first === undefined || second === undefined) throw new Error('two jobs were expected')
      const work = () =>
        Promise.all([
          store.insert([newJob(), newJob()]),
          store.settle(
            [
              { ...first, ranMs: 1, to: 'completed' },
              { ...second, ranMs: 1, to: 'retry', inMs: 0, failure: { name: 'E', message: '' } },
            ],
            { runner: 'r', queue: 'q', limit: 1, kinds: ['k'] },
          ),
          store.cancel([c.id], 'no'),
        ])
      fault.writes = 0
      fault.failAt = nth
      const answer = await work().then(
        () => 'done',
        (error: unknown) => (error instanceof JobsError ? error.code : error),
      )
      fault.failAt = Infinity
      if (answer === 'done') break
      tries++
      expect(answer).toBe(ours)
      expect(await Promise.all([store.stats(), store.list({ limit: 10 })])).toEqual(before)
      const [, settled] = await work()
      expect(settled.accepted).toEqual([true, true])
      await store.settle((settled.claimed?.jobs ?? []).map(job => ({ ...job, ranMs: 0, to: 'completed' })))
      const { jobs: rest } = await store.claim({ runner: 'r', queue: 'q', limit: 100, kinds: ['k'] })
      await store.settle(rest.map(job => ({ ...job, ranMs: 0, to: 'completed' })))
    }
    expect(tries).toBeGreaterThan(5)
    expect(await store.integrityCheck()).toEqual([])
  })
})

describe.each(drivers)('damage, on %s', driver => {
  /** A file with its log as a process leaves them that dies: 20 commits of one job each. */
  async function afterCrash(): Promise<{ readonly copy: (change: (db: string) => void) => string; readonly log: number }> {
    const { store, path } = await openStore({ driver })
    for (let index = 0; index < 20; index++) await store.insert([newJob()])
    const folder = temporaryFolder()
    const [db, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
    let copies = 0
    return {
      log: log.length,
      copy(change) {
        const to = join(folder, `${copies++}.db`)
        writeFileSync(to, db)
        writeFileSync(`${to}-wal`, log)
        change(to)
        return to
      },
    }
  }

  /** The jobs of a file, or the code with which it is refused. */
  async function readIn(path: string): Promise<number | string> {
    const store = sqliteStore({ path, driver })
    try {
      await store.open({ clock: new VirtualClock(), logger: quiet })
      const { jobs } = await store.list({ limit: 1_000 })
      const { queues } = await store.stats()
      expect(queues['q']?.waiting ?? 0).toBe(jobs.length)
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
      await store.insert([newJob()])
      return jobs.length
    } catch (error) {
      if (error instanceof JobsError) return error.code
      throw error
    } finally {
      await store.close()
    }
  }

  it('F31 opens with every commit that a cut of the log has left whole', { timeout: 60_000 }, async () => {
    const { copy, log } = await afterCrash()
    const frame = 4_096 + 24
    // Every byte of the frame headers of the last commits, and steps through their pages
    const cuts = new Set<number>()
    for (let at = log; at > log - 6 * frame; at -= 211) cuts.add(at)
    for (let index = 0; index < 3; index++) for (let byte = 0; byte <= 24; byte++) cuts.add(log - index * frame - byte)
    let most = 20
    for (const cut of [...cuts].sort((a, b) => b - a)) {
      const found = await readIn(copy(path => truncateSync(`${path}-wal`, cut)))
      expect(found).toBeTypeOf('number')
      expect(found).toBeLessThanOrEqual(most)
      most = Number(found)
    }
    expect(most).toBeGreaterThan(10)
    expect(most).toBeLessThan(20)
  })

  it('F31 opens a damaged file as far as it is whole, or refuses it with STORE_CORRUPT', { timeout: 60_000 }, async () => {
    const { copy } = await afterCrash()
    const whole = copy(() => {})
    expect(await readIn(whole)).toBe(20)
    // Once closed all is in the file: damage has no log to hide behind
    const db = readFileSync(whole)
    const damage = (at: number, length: number): string => {
      const bytes = Buffer.from(db)
      bytes.fill(0xa5, at, at + length)
      const path = `${whole}-${at}`
      copyFileSync(whole, path)
      writeFileSync(path, bytes)
      return path
    }
    expect(await readIn(damage(0, 16))).toBe('STORE_CORRUPT')
    for (let page = 0; page < db.length / 4_096; page++) {
      const found = await readIn(damage(page * 4_096 + (page === 0 ? 100 : 0), 64))
      expect(found === 'STORE_CORRUPT' || typeof found === 'number', `page ${page}: ${found}`).toBe(true)
    }
  })
})
