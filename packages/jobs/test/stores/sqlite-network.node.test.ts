/** F33: a file on a network file system. None is here, so `statfs` tells of one. */
import { join } from 'node:path'
import type * as fs from 'node:fs'
import type { Logger } from '@genstage/core'
import { VirtualClock } from '@genstage/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { newJob, quiet, temporaryFolder } from './sqlite-files.ts'

/** What `statfs` answers, and for which folders it was asked. */
const told = vi.hoisted(() => ({ type: 0, error: undefined as Error | undefined, folders: [] as string[] }))

vi.mock('node:fs', async original => ({
  ...(await original<typeof fs>()),
  statfsSync(folder: string) {
    told.folders.push(folder)
    if (told.error !== undefined) throw told.error
    return { type: told.type }
  },
}))

beforeEach(() => Object.assign(told, { type: 0, error: undefined, folders: [] }))

/** The warnings of a store that is opened, and works. */
async function warningsOf(path: string): Promise<readonly unknown[]> {
  const warnings: unknown[] = []
  const logger: Logger = { ...quiet, warn: (message, fields) => void warnings.push([message, fields]) }
  const store = sqliteStore(path)
  onTestFinished(() => store.close())
  await store.open({ clock: new VirtualClock(), logger })
  expect(await store.insert([newJob()])).toMatchObject([{ outcome: 'inserted' }])
  return warnings
}

describe('F33 a file on a network file system', () => {
  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    ['CIFS', 0xff534d42],
    // As it comes where the number is signed
    ['CIFS', 0xff534d42 | 0],
    ['SMB', 0xfe534d42],
    ['NCP', 0x564c],
    ['AFS', 0x5346414f],
    ['Ceph', 0x00c36400],
    ['9P', 0x01021997],
  ])('is opened, with one warning that names it: %s (%i)', async (name, type) => {
    told.type = type
    const folder = temporaryFolder()
    const path = join(folder, 'jobs.db')
    const message = `sqliteStore: ${path} is on a network file system (${name}): processes of several machines on it would destroy it`
    expect(await warningsOf(path)).toEqual([[message, { code: 'network_file_system', path }]])
    expect(told.folders).toEqual([folder])
  })

  it.each([
    ['ext4', 0xef53],
    ['tmpfs', 0x01021994],
    ['overlayfs', 0x794c7630],
    ['btrfs', 0x9123683e],
  ])('is not seen where there is none: %s', async (_, type) => {
    told.type = type
    expect(await warningsOf(join(temporaryFolder(), 'jobs.db'))).toEqual([])
  })

  it('is not guessed where nobody can tell', async () => {
    told.error = new Error('ENOSYS: statfs')
    expect(await warningsOf(join(temporaryFolder(), 'jobs.db'))).toEqual([])
    expect(told.folders).toHaveLength(1)
  })

  it('is not asked of a database without a file', async () => {
    told.type = 0x6969
    expect(await warningsOf(':memory:')).toEqual([])
    expect(told.folders).toEqual([])
  })
})
