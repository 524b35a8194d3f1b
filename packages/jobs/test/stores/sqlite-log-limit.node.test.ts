/** The write-ahead log is emptied when it has become long, as soon as nobody is in the way. */
import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { drivers, newJob, openStore } from './sqlite-files.ts'

const million = JSON.stringify('x'.repeat(1_000_000))
const millions = (count: number) => Array.from({ length: count }, () => newJob({ args: million }))
const logOf = (path: string): number => statSync(`${path}-wal`).size
const MiB = 2 ** 20

describe.each(drivers)('the log, by %s', driver => {
  it('is emptied when it has become long, also when nothing happens any more', async () => {
    const { store, path, clock } = await openStore({ driver })
    await store.insert(millions(36))
    expect(logOf(path)).toBeGreaterThan(32 * MiB)
    clock.advance(200)
    expect(logOf(path)).toBe(0)
    await store.insert([newJob()])
    expect((await store.stats()).queues['q']?.waiting).toBe(37)
    expect(await store.integrityCheck()).toEqual([])
  })

  it('waits for one who reads for long, and is emptied after that', async () => {
    const { store, path, clock } = await openStore({ driver })
    await store.insert([newJob()])
    const reader = chooseDriver(driver).open(path)
    reader.exec('BEGIN; SELECT count(*) FROM jobs')
    await store.insert(millions(36))
    for (let ms = 0; ms < 2_000; ms += 100) clock.advance(100)
    expect(logOf(path)).toBeGreaterThan(32 * MiB)
    reader.exec('ROLLBACK')
    clock.advance(200)
    expect(logOf(path)).toBe(0)
    reader.close()
  })

  it('waits for one who writes, and neither is refused', async () => {
    const { store, path, clock } = await openStore({ driver })
    await store.insert(millions(36))
    const writer = chooseDriver(driver).open(path)
    writer.exec('BEGIN IMMEDIATE; UPDATE meta SET leader = NULL')
    clock.advance(200)
    expect(logOf(path)).toBeGreaterThan(32 * MiB)
    writer.exec('COMMIT')
    clock.advance(200)
    expect(logOf(path)).toBe(0)
    writer.close()
  })

  it('is cut to some MiB when it begins anew by itself', async () => {
    const { store, path } = await openStore({ driver })
    await store.insert(millions(20))
    expect(logOf(path)).toBeGreaterThan(20_000_000)
    await store.insert([newJob()])
    expect(logOf(path)).toBeLessThanOrEqual(8 * MiB)
  })
})
