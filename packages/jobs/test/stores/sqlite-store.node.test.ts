import { describe, expect, it } from 'vitest'
import type { SqliteDriverName } from '../../src/stores/sqlite/driver.ts'
import { storeContract } from '../../src/testing/store-contract.ts'
import { drivers, underTest } from './sqlite-files.ts'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const hasSqlite = major > 22 || (major === 22 && minor >= 13)

it('ROW-R15 all drivers load that are made for this Node: libsql on each, the others from Node 22 on', () => {
  const expected: readonly SqliteDriverName[] = [
    ...(hasSqlite ? (['node:sqlite'] as const) : []),
    'libsql',
    ...(major >= 22 ? (['better-sqlite3'] as const) : []),
  ]
  expect(drivers).toEqual(expected)
})

for (const driver of drivers) {
  describe(`the contract of stores, kept by the SQLite store on ${driver}`, () => {
    for (const { ids, name, run } of storeContract(underTest(driver))) it(`${ids.join(' ')} ${name}`, async () => run())
  })
}
