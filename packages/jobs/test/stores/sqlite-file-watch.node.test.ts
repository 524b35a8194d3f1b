/** F33: the file of an open store is deleted, or another one comes into its place. SQLite itself goes on, into what nobody finds. */
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drivers, newJob, openStore, temporaryFolder } from './sqlite-files.ts'

const lost = (what: string) => ({
  code: 'STORE_UNAVAILABLE',
  message: expect.stringContaining(`${what} removed or replaced while it was open`),
})

const removeAll = (path: string): void => {
  for (const name of readdirSync(dirname(path))) rmSync(join(dirname(path), name))
}

describe.each(drivers)('the file of an open store, by %s', driver => {
  it('F33 is deleted: nothing is acknowledged any more, and nothing answered', async () => {
    const { store, path } = await openStore({ driver })
    await store.insert([newJob()])
    removeAll(path)
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
    await expect(store.find(['a'])).rejects.toMatchObject(lost('the file was'))
    await expect(store.stats()).rejects.toMatchObject(lost('the file was'))
    await store.close()
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('F33 is deleted during a transaction: what it did is not acknowledged', async () => {
    const { store, path } = await openStore({ driver })
    let isRead = false
    const job = newJob()
    // Read when the job is stored, after the transaction has begun
    const spy = { ...job, get args() { if (!isRead) removeAll(path); isRead = true; return '{}' } } // prettier-ignore
    await expect(store.insert([spy])).rejects.toMatchObject(lost('the file was'))
    expect(isRead).toBe(true)
  })

  it('F33 is replaced by a backup: the store stops, and what is there now is as it was', async () => {
    const { store, path, clock } = await openStore({ driver })
    await store.insert([newJob()])
    const backup = join(temporaryFolder(), 'backup.db')
    await store.backup(backup)
    await store.insert([newJob(), newJob()])
    for (const name of readdirSync(dirname(path))) if (name !== 'jobs.db') rmSync(join(dirname(path), name))
    copyFileSync(backup, `${path}.new`)
    renameSync(`${path}.new`, path)
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
    const { store: next } = await openStore({ driver, path }, clock)
    await next.insert([newJob()])
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
    await store.close()
    expect((await next.stats()).queues['q']?.waiting).toBe(2)
    expect(await next.integrityCheck()).toEqual([])
  })

  it('F33 is lost for good: that it comes back changes nothing', async () => {
    const { store, path } = await openStore({ driver })
    renameSync(path, `${path}.away`)
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
    renameSync(`${path}.away`, path)
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
  })

  it('F33 has lost its log, as after a lock that another part of the process has let go: the store stops', async () => {
    const { store, path, clock } = await openStore({ driver })
    await store.insert([newJob()])
    rmSync(`${path}-wal`)
    clock.advance(50)
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('its write-ahead log was'))
    writeFileSync(`${path}-wal`, '')
    await expect(store.stats()).rejects.toMatchObject(lost('its write-ahead log was'))
  })

  it('F33 is watched behind a link, and under each of its names', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'data'))
    symlinkSync(join(folder, 'data'), join(folder, 'link'))
    const { store } = await openStore({ driver, path: join(folder, 'link', 'jobs.db') })
    await store.insert([newJob()])
    // Another name for the same folder is the same file
    rmSync(join(folder, 'link'))
    expect(await store.insert([newJob()])).toHaveLength(1)
    rmSync(join(folder, 'data', 'jobs.db'))
    await expect(store.insert([newJob()])).rejects.toMatchObject(lost('the file was'))
  })
})

it('a database without a file cannot be lost', async () => {
  const { store } = await openStore({ path: ':memory:' })
  expect(await store.insert([newJob()])).toHaveLength(1)
})
