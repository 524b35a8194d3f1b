/** Many rows, or large ones, go to SQLite in pieces: one text for all of them would be longer than a text can be. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteDriver, SqlValue } from '../../src/stores/sqlite/driver.ts'
import { inPieces } from '../../src/stores/sqlite/pieces.ts'
import { drivers, newJob, openStore } from './sqlite-files.ts'

const runner = { id: 'r', host: 'h', pid: 1, queues: [] }

/** A driver that notes how long the longest text is that it was given. */
function measuring(real: SqliteDriver): { readonly driver: SqliteDriver; longest: number } {
  const seen = { longest: 0, driver: real }
  const look = (params: readonly SqlValue[]): readonly SqlValue[] => {
    for (const value of params) if (typeof value === 'string') seen.longest = Math.max(seen.longest, value.length)
    return params
  }
  seen.driver = {
    ...real,
    open(path) {
      const { exec, prepare, close } = real.open(path)
      return {
        exec,
        close,
        prepare(sql) {
          const { run, get, all } = prepare(sql)
          return { run: params => run(look(params)), get: params => get(look(params)), all: params => all(look(params)) }
        },
      }
    },
  }
  return seen
}

it('divides rows in their order, none too long, none without need', () => {
  const rows = fc.array(fc.oneof(fc.nat(5_000), fc.nat(5_000_000)), { maxLength: 40 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 100 }), (some, times) => {
      const all = Array.from({ length: times }, () => some).flat()
      const pieces = inPieces(all, row => row)
      const sum = (piece: readonly number[]): number => piece.reduce((total, row) => total + row, 0)
      expect(pieces.flat()).toEqual(all)
      for (const [index, piece] of pieces.entries()) {
        expect(piece.length).toBeGreaterThan(0)
        expect(piece.length).toBeLessThanOrEqual(1_000)
        expect(piece.length === 1 || sum(piece) <= 4_000_000).toBe(true)
        const next = pieces[index + 1]?.[0]
        expect(next === undefined || piece.length === 1_000 || sum(piece) + next > 4_000_000).toBe(true)
      }
    }),
    { seed: 5, numRuns: 200 },
  )
})

describe.each(drivers)('many rows by %s', name => {
  it('BAD-20 stores jobs of 30 MB in one call, by texts of some MB', async () => {
    const seen = measuring(chooseDriver(name))
    const { store } = await openStore({ driver: seen.driver })
    const args = JSON.stringify('x'.repeat(6_000))
    const jobs = Array.from({ length: 5_000 }, (_, index) => newJob({ args, priority: index % 7 }))
    await store.insert(jobs)
    expect(seen.longest).toBeLessThan(5_000_000)
    const { jobs: first } = await store.list({ limit: 3 })
    expect(first.map(({ id, args: text, priority }) => [id, text === args, priority])).toEqual(
      [4_999, 4_998, 4_997].map(index => [jobs[index]?.id, true, index % 7]),
    )
    expect((await store.stats()).queues['q']?.waiting).toBe(5_000)
  })

  it('ROW-R4 stores all pieces or none', async () => {
    const { store } = await openStore({ driver: name })
    const there = newJob({ args: '"there"' })
    await store.insert([there])
    const jobs = Array.from({ length: 2_500 }, () => newJob())
    const conflict = { ...there, args: '"other"' }
    await expect(store.insert([...jobs, conflict])).rejects.toMatchObject({ code: 'ID_CONFLICT', index: 2_500 })
    expect((await store.stats()).queues['q']?.waiting).toBe(1)
    // One that is there already, as it is, is no conflict: the others are stored
    const inserted = await store.insert([...jobs, there])
    expect(inserted.map(({ outcome }) => outcome).lastIndexOf('inserted')).toBe(2_499)
    expect(inserted[2_500]).toEqual({ id: there.id, outcome: 'duplicate' })
    expect((await store.stats()).queues['q']?.waiting).toBe(2_501)
  })

  it('completes 2,500 jobs in one call, some held by another', async () => {
    const seen = measuring(chooseDriver(name))
    const { store } = await openStore({ driver: seen.driver })
    await store.insert(Array.from({ length: 2_500 }, () => newJob()))
    await store.register(runner, 30_000)
    const { jobs } = await store.claim({ runner: 'r', queue: 'q', limit: 2_500, kinds: ['k'] })
    const result = JSON.stringify('y'.repeat(4_000))
    const isOurs = (index: number): boolean => index % 100 !== 50
    const { accepted } = await store.settle(
      jobs.map(({ seq, token }, index) => ({ seq, token: isOurs(index) ? token : token - 1, ranMs: 1, to: 'completed', result })),
    )
    expect(accepted).toEqual(jobs.map((_, index) => isOurs(index)))
    expect(seen.longest).toBeLessThan(5_000_000)
    expect((await store.stats()).queues['q']).toMatchObject({ completed: 2_475, running: 25 })
  })
})
