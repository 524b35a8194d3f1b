import { type Stats, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '@genstage/core'
import { JobsError } from '../../errors.ts'

/** The path of a database without a file. */
export const inMemory = ':memory:'

/** Refuses what cannot be a database file, in words that SQLite does not have: it only says "unable to open" (BAD-134). */
export function checkPath(path: string): void {
  const there = lookAt(path, path)
  // Its companions have longer names
  lookAt(`${path}-journal`, path)
  if (there === undefined) {
    const folder = dirname(path)
    if (lookAt(folder, path)?.isDirectory() !== true) throw unavailable(path, `its folder ${folder} is not there`)
  } else if (there.isDirectory()) throw unavailable(path, 'it is a folder')
  else if (!there.isFile()) throw unavailable(path, 'it is no ordinary file')
}

function lookAt(place: string, path: string): Stats | undefined {
  try {
    return statSync(place, { throwIfNoEntry: false })
  } catch (cause) {
    throw unavailable(path, whyNot(cause), cause)
  }
}

function whyNot(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EACCES' || code === 'EPERM') return 'this process may not look there'
  if (code === 'ENAMETOOLONG') return 'its name is too long, or would be with -journal at its end'
  if (code === 'ELOOP') return 'its symbolic links lead in a circle'
  return String(cause)
}

function unavailable(path: string, why: string, cause?: unknown): JobsError {
  return new JobsError('STORE_UNAVAILABLE', `sqliteStore: ${path} cannot be opened: ${why}`, { cause })
}

/** File systems by the numbers of Linux. */
const networks: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x564c, 'NCP'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9P'],
])

/** The processes that share a file share memory too, which they cannot over a network: warns where the file system tells that it is one. */
export function warnOfNetwork(path: string, logger: Logger): void {
  if (process.platform !== 'linux') return
  const network = networks.get(fileSystemOf(path) >>> 0)
  if (network === undefined) return
  logger.warn(
    `sqliteStore: ${path} is on a network file system (${network}): processes of several machines on it would destroy it`,
    {
      code: 'network_file_system',
      path,
    },
  )
}

function fileSystemOf(path: string): number {
  try {
    return statfsSync(dirname(path)).type
  } catch {
    return 0
  }
}
