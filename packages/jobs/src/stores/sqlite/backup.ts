import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { badOption } from '@genstage/core/adapters'
import { JobsError } from '../../errors.ts'
import { checkPath, inMemory } from './check-path.ts'
import type { SqliteDriver } from './driver.ts'
import type { Session } from './session.ts'
import { isBusy, storeError } from './sqlite-errors.ts'

/** The path of a backup, absolute. Throws `BAD_OPTION`, and `STORE_UNAVAILABLE` where something is there already or no file can be. */
export function backupTarget(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path === inMemory || path.includes('\0'))
    throw badOption('sqliteStore.backup', 'path', path, 'the path of a file that is not there yet, without NUL characters')
  const target = resolve(path)
  refuseExisting(target)
  checkPath(target)
  return target
}

/**
 * Copies the whole file, between two transactions. It grows under another name, beside the target, and gets its own when it is whole
 * and on the disk: whoever finds it there may trust it. Of a copy that fails nothing is left.
 */
export function writeBackup(session: Session, driver: SqliteDriver, target: string): void {
  const partial = `${target}.${randomUUID()}.partial`
  try {
    refuseExisting(target)
    session.run('VACUUM INTO ?', partial)
    sync(partial)
    moveToFree(partial, target)
    syncFolder(dirname(target))
  } catch (error) {
    throw isBusy(driver, error) ? error : storeError(driver, target, error)
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(partial + suffix, { force: true })
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target))
    throw new JobsError('STORE_UNAVAILABLE', `sqliteStore: ${target} is there already: a backup replaces nothing`)
}

/** SQLite does not do it for copies. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** So that the name is on the disk too, where the system can do that. */
function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch {
    // Windows has no such thing
  }
}

/** A second name is refused where there is a file meanwhile; a rename would replace it. */
function moveToFree(partial: string, target: string): void {
  try {
    linkSync(partial, target)
  } catch {
    // Somebody was faster, or this file system has no second names
    refuseExisting(target)
    renameSync(partial, target)
  }
}
