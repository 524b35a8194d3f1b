import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { drivers, newJob, openStore, temporaryFolder } from './sqlite-files.ts'

/** A driver that does something with each copy: before it is made, and when it is there. */
function watching(real: SqliteDriver, before: (copy: string) => void, after: (copy: string) => void = () => {}): SqliteDriver {
  const open = (path: string): SqliteConnection => {
    const connection = real.open(path)
    return {
      ...connection,
      prepare(sql) {
        const { run, get, all } = connection.prepare(sql)
        if (!sql.startsWith('VACUUM INTO')) return { run, get, all }
        return {
          get,
          all,
          run(params) {
            before(String(params[0]))
            const changed = run(params)
            after(String(params[0]))
            return changed
          },
        }
      },
    }
  }
  return { ...real, open }
}

describe.each(drivers)('a backup, on %s', name => {
  it('begins in its turn, also where there is always something to do', async () => {
    const { store, path } = await openStore({ driver: name })
    let isOver = false
    let inserted = 0
    const work = async (): Promise<void> => {
      while (!isOver) inserted += (await store.insert([newJob()])).length
    }
    // One begins when the other ends: there is no moment without a call that waits
    const working = [work(), new Promise(resolve => void setImmediate(resolve)).then(work)]
    await store.insert(Array.from({ length: 600 }, () => newJob({ queue: 'before' })))
    const backup = store.backup(`${path}.copy`)
    const after = store.insert([newJob({ queue: 'after' })])
    const rounds = inserted + 200
    while (!existsSync(`${path}.copy`) && inserted < rounds) await new Promise(resolve => void setImmediate(resolve))
    isOver = true
    expect(inserted).toBeLessThan(rounds)
    await Promise.all([backup, after, ...working])
    const { store: copy } = await openStore({ driver: name, path: `${path}.copy` })
    const { queues } = await copy.stats()
    expect(queues['before']?.waiting).toBe(600)
    expect(queues['after']).toBeUndefined()
    expect(await copy.integrityCheck()).toEqual([])
  })

  it('waits for nothing but the calls before it, and goes on between two transactions', async () => {
    const { store, path } = await openStore({ driver: name })
    const parts = [
      store.insert([newJob({ queue: 'before' })]),
      store.backup(`${path}.1`),
      store.insert([newJob({ queue: 'between' })]),
      store.stats(),
      store.backup(`${path}.2`),
    ]
    await Promise.all(parts)
    const queuesOf = async (file: string): Promise<readonly string[]> => {
      const { store: copy } = await openStore({ driver: name, path: file })
      return Object.keys((await copy.stats()).queues).toSorted()
    }
    expect([await queuesOf(`${path}.1`), await queuesOf(`${path}.2`)]).toEqual([['before'], ['before', 'between']])
  })

  it('F32 leaves nothing behind when it fails, and can be repeated', async () => {
    const real = chooseDriver(name)
    const folder = temporaryFolder()
    let fails = true
    const fail = (copy: string): void => {
      if (!fails) return
      // As a full disk leaves them
      writeFileSync(copy, 'half')
      writeFileSync(`${copy}-journal`, 'half')
      throw new Error('ENOSPC: no space left on device')
    }
    const { store } = await openStore({ driver: watching(real, fail) })
    await store.insert([newJob()])
    const target = join(folder, 'copy.db')
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(readdirSync(folder)).toEqual([])
    fails = false
    await store.backup(target)
    expect(readdirSync(folder)).toEqual(['copy.db'])
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: /there already/ })
  })

  it('does not show itself before it is whole, and replaces no file that came meanwhile', async () => {
    const folder = temporaryFolder()
    const target = join(folder, 'copy.db')
    const seen: boolean[] = []
    const come = (copy: string): void => {
      seen.push(existsSync(target), existsSync(copy))
      writeFileSync(target, 'mine')
    }
    const { store } = await openStore({ driver: watching(chooseDriver(name), () => {}, come) })
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: /there already/ })
    expect(seen).toEqual([false, true])
    expect(readdirSync(folder)).toEqual(['copy.db'])
  })

  it('BAD-134 refuses what is no path of a new file, with its name', async () => {
    const { store, path } = await openStore({ driver: name })
    mkdirSync(`${path}.folder`)
    const refusal = async (target: unknown): Promise<unknown> => {
      const call = store.backup.bind(store) as (path: unknown) => Promise<void>
      return call(target).then(
        () => 'done',
        (error: unknown) => error,
      )
    }
    for (const bad of [':memory:', 5, undefined, '', 'a\0b', { path: `${path}.copy` }]) {
      expect(await refusal(bad)).toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringMatching(/^sqliteStore.backup: path must be the path of a file/),
      })
    }
    for (const bad of [path, `${path}.folder`, join(path, 'copy'), join(`${path}.nowhere`, 'copy')]) {
      expect(await refusal(bad)).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    expect(readdirSync(dirname(path)).filter(file => file.includes('partial'))).toEqual([])
  })
})

it('a backup of a store that is closed is refused', async () => {
  const store = sqliteStore(join(temporaryFolder(), 'jobs.db'))
  await expect(store.backup('copy')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
