import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { JobsError } from '../../src/errors.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import { refuseCrash } from '../../src/stores/sqlite/drivers/better-sqlite3.ts'
import { schemaVersion } from '../../src/stores/sqlite/schema.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import type { SqliteStoreOptions } from '../../src/stores/sqlite/sqlite-options.ts'
import { drivers, newJob, openStore, quiet, temporaryFolder } from './sqlite-files.ts'

async function refusal(options: string | SqliteStoreOptions): Promise<JobsError> {
  const store = sqliteStore(options)
  const error = await store.open({ clock: new VirtualClock(), logger: quiet }).then(
    () => store.close(),
    (reason: unknown) => reason,
  )
  if (error instanceof JobsError) return error
  throw new Error(`it was not refused with a JobsError, but ${String(error)}`)
}

/** What a file says, by its own driver. */
async function inFile(driver: SqliteDriver, path: string, work: (exec: (sql: string) => void) => void): Promise<void> {
  const connection = driver.open(path)
  work(sql => connection.exec(sql))
  connection.close()
}

describe('options', () => {
  it.each([
    ['', /path must be the path of a file, without NUL characters, or ":memory:", not ""/],
    ['a\0b', /path must be the path of a file/],
    [7, /options must be an object, not 7/],
    [{}, /path must be the path of a file.*not undefined/],
    [{ path: 'x', pth: 1 }, /unknown option "pth"; did you mean path\?/],
    [{ path: 'x', synchronous: 'off' }, /synchronous must be one of 'full', 'normal', not "off"/],
    [{ path: 'x', driver: 'sqlite' }, /driver must be one of 'auto', 'node:sqlite', 'libsql', 'better-sqlite3', not "sqlite"/],
    [{ path: 'x', driver: { name: 'mine' } }, /driver must be a SqliteDriver/],
    [{ path: 'x', busyTimeoutMs: -1 }, /busyTimeoutMs must be a number of milliseconds from 0, not -1/],
    [{ path: 'x', pollMs: 0 }, /pollMs must be a number of milliseconds above 0, not 0/],
  ])('BAD-134 BAD-20 refuses %j at once', (options, message) => {
    expect(() => sqliteStore(options as string)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(message) }),
    )
  })
})

describe.each(drivers)('opening by %s', name => {
  it('BAD-134 refuses what cannot be a file, in words', async () => {
    const folder = temporaryFolder()
    symlinkSync(join(folder, 'circle'), join(folder, 'circle'))
    const cases = [
      [folder, 'STORE_UNAVAILABLE', 'it is a folder'],
      ['/dev/full', 'STORE_UNAVAILABLE', 'it is no ordinary file'],
      [join(folder, 'nowhere', 'jobs.db'), 'STORE_UNAVAILABLE', `its folder ${join(folder, 'nowhere')} is not there`],
      [join(folder, 'x'.repeat(300)), 'STORE_UNAVAILABLE', 'its name is too long'],
      [join(folder, 'x'.repeat(250)), 'STORE_UNAVAILABLE', 'or would be with -journal at its end'],
      [join(folder, 'circle', 'jobs.db'), 'STORE_UNAVAILABLE', 'its symbolic links lead in a circle'],
    ] as const
    for (const [path, code, words] of cases) {
      const error = await refusal({ path, driver: name })
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(words)])
    }
  })

  it('F31 refuses a file that is no database, and one whose header is damaged', async () => {
    const path = join(temporaryFolder(), 'jobs.db')
    writeFileSync(path, 'not a database, but long enough to be one. '.repeat(100))
    expect((await refusal({ path, driver: name })).code).toBe('STORE_CORRUPT')
  })

  it('refuses the database of another application, and leaves it as it is', async () => {
    const path = join(temporaryFolder(), 'theirs.db')
    const driver = chooseDriver(name)
    await inFile(driver, path, exec => exec('CREATE TABLE theirs (a); PRAGMA user_version = 1'))
    const before = readFileSync(path)
    const error = await refusal({ path, driver: name })
    expect([error.code, error.message]).toEqual(['BAD_CONFIG', expect.stringContaining('another application')])
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(['theirs.db'])
  })

  it('BAD-132 refuses a schema of a newer release, and opens one of its own', async () => {
    const { store, path } = await openStore({ driver: name })
    await store.insert([newJob()])
    await store.close()
    await inFile(chooseDriver(name), path, exec => exec(`PRAGMA user_version = ${schemaVersion + 1}`))
    const error = await refusal({ path, driver: name })
    expect(error.code).toBe('SCHEMA_TOO_NEW')
    expect(error.message).toContain(`its schema has version ${schemaVersion + 1}, this one knows up to ${schemaVersion}`)
    await inFile(chooseDriver(name), path, exec => exec(`PRAGMA user_version = ${schemaVersion}`))
    const { store: again } = await openStore({ driver: name, path })
    expect((await again.stats()).queues['q']?.waiting).toBe(1)
  })

  it('BAD-134 F33 refuses a file that cannot be written', async () => {
    const { store, path } = await openStore({ driver: name })
    await store.close()
    const driver = chooseDriver(name)
    const readOnly: SqliteDriver = {
      ...driver,
      open(file) {
        const connection = driver.open(file)
        connection.exec('PRAGMA query_only = 1')
        const exec = (sql: string): void => connection.exec(sql.startsWith('BEGIN IMMEDIATE') ? 'CREATE TABLE x (a)' : sql)
        return { ...connection, exec }
      },
    }
    expect((await refusal({ path, driver: readOnly })).code).toBe('STORE_READ_ONLY')
  })

  it('makes the file, with a log, and leaves it whole without one', async () => {
    const { store, path } = await openStore({ driver: name })
    await store.insert([newJob()])
    await store.close()
    await store.close()
    const { store: again } = await openStore({ driver: name, path })
    expect(await again.integrityCheck()).toEqual([])
    await expect(store.stats()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('works without a file', async () => {
    const { store } = await openStore({ driver: name, path: ':memory:' })
    await store.insert([newJob(), newJob()])
    expect((await store.stats()).queues['q']?.waiting).toBe(2)
  })
})

it('F33 JOB-20 waits for a lock that another holds, and gives up at its deadline', async () => {
  const { store, clock, path } = await openStore({ busyTimeoutMs: 1_000 })
  const [driver] = drivers
  const holder = chooseDriver(driver ?? 'auto').open(path)
  holder.exec('BEGIN IMMEDIATE')
  const waiting = store.insert([newJob()]).catch((error: unknown) => error)
  for (let ms = 0; ms <= 1_000; ms += 10) {
    await new Promise(resolve => void setImmediate(resolve))
    clock.advance(10)
  }
  expect(await waiting).toMatchObject({
    code: 'STORE_BUSY',
    message: expect.stringMatching(/locked by another process for 10[0-2]0 ms/),
  })
  const later = store.insert([newJob()])
  await new Promise(resolve => void setImmediate(resolve))
  await new Promise(resolve => void setImmediate(resolve))
  holder.exec('ROLLBACK')
  holder.close()
  clock.advance(20)
  expect(await later).toHaveLength(1)
  expect((await store.stats()).queues['q']?.waiting).toBe(1)
})

describe('drivers', () => {
  it('names all of them where none loads, and why', async () => {
    const fail = (why: string) => (): never => {
      throw new Error(`${why}\nRequire stack: …`)
    }
    const loaders = { 'node:sqlite': fail('too old'), libsql: fail('not there'), 'better-sqlite3': fail('not there either') }
    expect(() => chooseDriver('auto', loaders)).toThrow(
      expect.objectContaining({
        code: 'STORE_UNAVAILABLE',
        message:
          'sqliteStore: no SQLite driver loads: node:sqlite (too old), libsql (not there), better-sqlite3 (not there either). ' +
          'Use Node 22.13 or newer, or npm install libsql',
      }),
    )
    expect(() => chooseDriver('libsql', loaders)).toThrow('the SQLite driver libsql does not load: libsql (not there)')
  })

  it('does not load better-sqlite3 13 on Node 20, where it would take the process down', () => {
    expect(() => refuseCrash('13.2.0', '20.20.2')).toThrow('better-sqlite3 13.2.0 needs Node 22, this is 20.20.2')
    expect(() => refuseCrash('13.2.0', '22.13.0')).not.toThrow()
    expect(() => refuseCrash('12.11.1', '20.20.2')).not.toThrow()
  })

  it('takes one of your own', async () => {
    const [name] = drivers
    const driver = chooseDriver(name ?? 'auto')
    const opened: string[] = []
    const mine: SqliteDriver = { ...driver, name: 'mine', open: path => (opened.push(path), driver.open(path)) }
    const { path } = await openStore({ driver: mine })
    expect(opened).toEqual([path])
  })
})
