import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countFile } from './count-file.ts'
import { areSame, countDirectly, Totals } from './totals.ts'

const { signal } = new AbortController()
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'job-runner-totals-'))
  await writeFile(join(folder, 'a.txt'), 'The fox; the FOX, the end.')
  await writeFile(join(folder, 'b.txt'), 'an end')
  await writeFile(join(folder, 'empty.txt'), '')
  await writeFile(join(folder, 'binary'), Buffer.from('words \0'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a file is counted: each word once', async () => {
  expect(await countFile(join(folder, 'a.txt'), signal)).toEqual({
    words: 6,
    table: [
      ['the', 3],
      ['fox', 2],
      ['end', 1],
    ],
  })
  expect(await countFile(join(folder, 'empty.txt'), signal)).toEqual({ words: 0, table: [] })
})

test('what is no text, or is not there, has no count', async () => {
  expect(await countFile(join(folder, 'binary'), signal)).toBeUndefined()
  expect(await countFile(join(folder, 'nothing'), signal)).toBeUndefined()
})

test('a count that is to end rejects with the reason', async () => {
  await expect(countFile(join(folder, 'a.txt'), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})

test('the sum of files is what a direct count finds', async () => {
  const totals = new Totals()
  for (const name of ['a.txt', 'b.txt', 'empty.txt']) {
    const count = await countFile(join(folder, name), signal)
    if (count !== undefined) totals.add(join(folder, name), count)
  }
  const counts = totals.counts(2)
  expect(counts).toEqual({
    words: 8,
    distinct: 4,
    top: [
      ['the', 3],
      ['end', 2],
    ],
  })
  expect(areSame(counts, await countDirectly(totals.paths, 2))).toBe(true)
  expect(areSame(counts, await countDirectly(totals.paths.slice(1), 2))).toBe(false)
})
