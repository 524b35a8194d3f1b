import { createRequire } from 'node:module'
import type { SqliteDriver } from '../driver.ts'
import { betterConnection, type BetterDatabase } from './better-like.ts'

interface Libsql {
  new (path: string): BetterDatabase
}

/** libsql, a fork of SQLite: built for every common platform, without a compiler or an install script. Throws where it is not installed. */
export function loadLibsql(): SqliteDriver {
  // Not an import, which a bundler would follow: it cannot take the native part along
  const Database = createRequire(import.meta.url)('libsql') as Libsql
  return { name: 'libsql', open: path => betterConnection(new Database(path)), codeOf }
}

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('rawCode' in error && typeof error.rawCode === 'number') return error.rawCode
  // It tells why a file could not be opened in words alone: … local database /nowhere/jobs.db: 14
  const opening = /^ConnectionFailed\(.*: (\d+)"?\)$/s.exec(error.message)
  return opening === null ? undefined : Number(opening[1])
}
