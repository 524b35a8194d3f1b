import { createRequire } from 'node:module'
import type { SqliteDriver } from '../driver.ts'
import { betterConnection, type BetterDatabase } from './better-like.ts'

interface BetterSqlite3 {
  new (path: string): BetterDatabase
}

/** better-sqlite3, for those who have it. Throws where it is not installed, or is not made for this Node. */
export function loadBetterSqlite3(): SqliteDriver {
  const require = createRequire(import.meta.url)
  const { version } = require('better-sqlite3/package.json') as { readonly version: string }
  refuseCrash(version, process.versions.node)
  const Database = require('better-sqlite3') as BetterSqlite3
  return { name: 'better-sqlite3', open: path => betterConnection(new Database(path)), codeOf }
}

/** better-sqlite3 13 is made for Node 22. On an older one it does not fail, it takes the process down: so it is not even loaded. */
export function refuseCrash(version: string, node: string): void {
  if (Number.parseInt(version, 10) >= 13 && Number.parseInt(node, 10) < 22)
    throw new Error(`better-sqlite3 ${version} needs Node 22, this is ${node}: better-sqlite3 12 is for Node 20`)
}

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return resultCodes.find(([name]) => String(error.code).startsWith(name))?.[1]
}

/** By the beginning of the extended names: `SQLITE_BUSY_SNAPSHOT` is a `SQLITE_BUSY`. The primary codes that do not end an argument. */
const resultCodes: readonly (readonly [string, number])[] = [
  ['SQLITE_PERM', 3],
  ['SQLITE_BUSY', 5],
  ['SQLITE_LOCKED', 6],
  ['SQLITE_NOMEM', 7],
  ['SQLITE_READONLY', 8],
  ['SQLITE_INTERRUPT', 9],
  ['SQLITE_IOERR', 10],
  ['SQLITE_CORRUPT', 11],
  ['SQLITE_FULL', 13],
  ['SQLITE_CANTOPEN', 14],
  ['SQLITE_PROTOCOL', 15],
  ['SQLITE_TOOBIG', 18],
  ['SQLITE_CONSTRAINT', 19],
  ['SQLITE_NOTADB', 26],
  ['SQLITE_', 1],
]
