/** How SQLite carries out what the store asks of it: by indexes, so that it takes no longer in front of a million jobs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@genstage/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Held, NewJob, Settlement, Store, TerminalState } from '../../src/store.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriverName } from '../../src/stores/sqlite/driver.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { drivers, newJob, quiet } from './sqlite-files.ts'
import { planOf, recordingDriver, sorts, type Use, useOf } from './sqlite-statements.ts'

const kinds = ['k', 'l', 'm']
const hourMs = 3_600_000

/** A store with jobs in every state, held by runners that live and that are dead. */
interface Scene {
  readonly store: Store
  readonly clock: VirtualClock
  /** What the runner that lives has claimed. */
  readonly held: readonly Held[]
}

/** An operation, and what it may use of the tables that grow with the jobs. */
interface Case extends Use {
  readonly title: string
  readonly work: (scene: Scene) => Promise<unknown>
}

/** From the newest on, by their numbers, until the page is full: nothing is sorted. */
const fromNewest = 'SCAN jobs'

const [older, lost] = [newJob(), newJob()]
const unique = { key: 'key', until: 1_000, conflict: 'keep' } as const

/** In this order; each finds what those before it have left. */
const cases: readonly Case[] = [
  {
    title: 'SYS-B1 ROW-G5 JOB-12 a claim reads the first of several kinds in their order',
    work: ({ store }) => claim(store, 'r', 2),
    indexes: ['jobs_delayed', 'jobs_waiting'],
    troubles: [],
  },
  {
    title: 'SYS-B6 F39 what has become due is awakened',
    work: ({ store, clock }) => {
      clock.advance(100)
      return claim(store, 'r', 1)
    },
    indexes: ['jobs_delayed', 'jobs_waiting'],
    troubles: [],
  },
  {
    title: 'SYS-C3 ROW-R4 find',
    work: ({ store }) => store.find([older.id, 'nobody']),
    indexes: ['payloads_by_id'],
    troubles: [],
  },
  {
    title: 'SYS-C3 ROW-R5 remove',
    async work({ store }) {
      expect(await store.remove([older.id, lost.id, 'nobody'])).toEqual(['removed', 'removed', 'missing'])
    },
    indexes: ['payloads_by_id'],
    troubles: [],
  },
  {
    title: 'SYS-C4 ROW-R6 ROW-G28 statistics read what has become due alone, and add up what is counted',
    work: ({ store }) => store.stats(),
    indexes: ['jobs_delayed'],
    troubles: [],
  },
  {
    title: 'a heartbeat reads the cancels of its runner, and sorts those alone',
    work: ({ store }) => store.heartbeat('r', hourMs),
    indexes: ['jobs_cancelling'],
    troubles: [sorts],
  },
  {
    title: 'JOB-8 SYS-B14 a rescue reads what dead runners have held, and sorts that alone',
    async work({ store }) {
      expect((await store.rescue({ runner: 'r', crashLimit: 3, limit: 100 })).jobs).toHaveLength(3)
    },
    indexes: ['jobs_running'],
    troubles: [sorts],
  },
  {
    title: 'JOB-4 SYS-B5 an end is written by the number of its job',
    work: ({ store, held }) => endAll(store, held, ['completed', 'failed', 'discarded', 'cancelled']),
    indexes: [],
    troubles: [],
  },
  {
    title: 'SYS-B11 ROW-G22 a page of jobs that were given up',
    work: ({ store }) => store.list({ states: ['failed', 'discarded', 'cancelled'], limit: 2 }),
    indexes: ['jobs_failed'],
    troubles: [],
  },
  {
    title: 'a page of completed jobs',
    work: ({ store }) => store.list({ states: ['completed'], limit: 2 }),
    indexes: [],
    troubles: [fromNewest],
  },
  {
    title: 'a page of running jobs sorts those alone, as long as they are few',
    work: ({ store }) => store.list({ states: ['running'], limit: 2 }),
    indexes: ['jobs_running'],
    troubles: ['SCAN jobs USING INDEX jobs_running', sorts],
  },
  {
    title: 'a page of delayed jobs sorts those alone, as long as they are few',
    work: ({ store }) => store.list({ states: ['delayed'], limit: 2 }),
    indexes: ['jobs_delayed'],
    troubles: [sorts],
  },
  {
    title: 'a page of waiting jobs sorts those alone, as long as they are few',
    work: ({ store }) => store.list({ states: ['waiting'], limit: 2 }),
    indexes: ['jobs_delayed', 'jobs_waiting'],
    troubles: ['SCAN jobs USING INDEX jobs_waiting', sorts],
  },
  {
    title: 'a page of waiting jobs that are many sorts those alone that have just become due',
    async work({ store }) {
      await store.insert(Array.from({ length: 10_001 }, () => newJob()))
      return store.list({ states: ['waiting'], limit: 2 })
    },
    indexes: ['jobs_delayed'],
    troubles: [fromNewest, sorts],
  },
  {
    title: 'JOB-14 pruning removes the oldest of each state, and windows that are over',
    async work({ store, clock }) {
      clock.advance(5_000)
      const keep = { discarded: 0, cancelled: 0 }
      expect(await store.prune({ olderThanMs: { completed: 1, failed: 1 }, keep, limit: 100 })).toBe(4)
    },
    indexes: ['jobs_finished', 'uniques_ending'],
    troubles: [],
  },
  {
    title: 'ROW-R16 clearing a queue',
    async work({ store }) {
      expect(await store.clearQueue('small')).toBe(8)
    },
    indexes: ['jobs_delayed', 'jobs_waiting'],
    troubles: [],
  },
]

/** Each index, and what SQLite would have to do without it. */
const withoutIndex: readonly (readonly [index: string, trouble: RegExp])[] = [
  ['jobs_delayed', /^SCAN jobs$/],
  ['jobs_waiting', /^SCAN jobs$/],
  ['jobs_running', /^SCAN jobs$/],
  ['jobs_finished', /^SCAN jobs$|^sorts$/],
  ['jobs_failed', /^SCAN jobs$|^sorts$/],
  ['payloads_by_id', /^SCAN payloads$/],
  ['uniques_ending', /^SCAN uniques$/],
]

describe.each(drivers)('on %s', name => {
  const folder = mkdtempSync(join(tmpdir(), 'genstage-'))
  const path = join(folder, 'jobs.db')
  let statements: ReadonlyMap<Case, readonly string[]>
  beforeAll(async () => (statements = await statementsOf(name, path)))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** What the statements of a case use, as SQLite says on a connection of its own. */
  function useIn(connection: SqliteConnection, each: Case): Use {
    return useOf((statements.get(each) ?? []).flatMap(sql => planOf(connection, sql)))
  }

  it.each(cases.map(each => [each.title, each] as const))('%s', (_, each) => {
    const connection = chooseDriver(name).open(path)
    const { indexes, troubles } = useIn(connection, each)
    connection.close()
    expect({ indexes, troubles }).toEqual({ indexes: each.indexes, troubles: each.troubles })
  })

  it.each(withoutIndex)('SYS-B1 without %s each of these operations would be told of', (index, trouble) => {
    // A statement that names its index is refused without it
    const isNamed = (each: Case): boolean => statements.get(each)?.some(sql => sql.includes(`INDEXED BY ${index}`)) === true
    const concerned = cases.filter(each => each.indexes.includes(index) && !isNamed(each))
    expect(concerned).not.toEqual([])
    const connection = chooseDriver(name).open(path)
    try {
      connection.exec(`BEGIN; DROP INDEX ${index}`)
      for (const each of concerned) {
        const seen = useIn(connection, each).troubles.filter(line => trouble.test(line))
        expect(seen.length, each.title).toBeGreaterThan(each.troubles.filter(line => trouble.test(line)).length)
      }
    } finally {
      connection.exec('ROLLBACK')
      connection.close()
    }
  })
})

function claim(store: Store, runner: string, limit: number): ReturnType<Store['claim']> {
  return store.claim({ runner, queue: 'q', limit, kinds })
}

/** Ends jobs, each in its way. */
async function endAll(store: Store, held: readonly Held[], ends: readonly TerminalState[]): Promise<void> {
  const failure = { name: 'Error', message: 'as planned' }
  const settlements = ends.map((to, index): Settlement => {
    const base = { ...(held[index] ?? { seq: 0, token: 0 }), ranMs: 1 }
    if (to === 'completed') return { ...base, to }
    return to === 'cancelled' ? { ...base, to, reason: 'as planned' } : { ...base, to, failure }
  })
  expect((await store.settle(settlements)).accepted).toEqual(ends.map(() => true))
}

/** Runs all operations on a file. Answers which statements each of them ran. */
async function statementsOf(name: SqliteDriverName, path: string): Promise<ReadonlyMap<Case, readonly string[]>> {
  const driver = recordingDriver(chooseDriver(name))
  const clock = new VirtualClock()
  const store = sqliteStore({ path, driver })
  await store.open({ clock, logger: quiet })
  const held = await prepare(store, clock)
  const statements = new Map<Case, readonly string[]>()
  for (const each of cases) statements.set(each, await driver.during(() => each.work({ store, clock, held })))
  await store.close()
  return statements
}

/** Jobs in every state. Answers what the runner that lives has claimed of them. */
async function prepare(store: Store, clock: VirtualClock): Promise<readonly Held[]> {
  const some = (count: number, job: Partial<NewJob> = {}): readonly NewJob[] =>
    Array.from({ length: count }, (_, n) => newJob({ ...job, kind: kinds[n % kinds.length] ?? 'k' }))
  for (const [id, ms] of [
    ['r', hourMs],
    ['dead', 1_000],
  ] as const)
    await store.register({ id, host: 'h', pid: process.pid, queues: [] }, ms)
  await store.insert([...some(20), ...some(5, { delayMs: 2_050 }), ...some(5, { delayMs: hourMs })])
  await store.insert([...some(4, { queue: 'small' }), ...some(4, { queue: 'small', delayMs: hourMs }), newJob({ unique })])
  await claim(store, 'dead', 3)
  const { jobs } = await claim(store, 'r', 5)
  await store.cancel([jobs.at(-1)?.id ?? ''], 'no more')
  await store.insert([older, lost])
  // Whose beats are seen to stop has died
  await store.rescue({ runner: 'r', crashLimit: 3, limit: 1 })
  clock.advance(2_000)
  return jobs
}
