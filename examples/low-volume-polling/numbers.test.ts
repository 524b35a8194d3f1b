import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { NumberFeed } from './number-feed.ts'
import { startNumberServer } from './number-server.ts'
import { NumberTable } from './number-table.ts'
import { fetchNumber, hasRoot, rootOf } from './numbers.ts'
import { appendRoots, postRoots } from './outputs.ts'
import { startRootsApi } from './roots-api.ts'

const root = (n: number) => ({ id: `east-${n}`, number: n * n, root: n })

describe('SYS-A8 the domain', () => {
  test.each(['numbers', 'outputs', 'number-feed', 'number-table', 'number-server', 'roots-api', 'local-server'])(
    'knows nothing of stages: %s.ts',
    async name => {
      expect(await readFile(new URL(`./${name}.ts`, import.meta.url), 'utf8')).not.toMatch(/@genstage|pipeline|worker/)
    },
  )

  test('takes the root of a number that has one', () => {
    expect([-4, -0.5, 0, 2, 25].map(number => hasRoot({ id: '', number }))).toEqual([false, false, true, true, true])
    expect([0, 2, 25].map(rootOf)).toEqual([0, Math.SQRT2, 5])
  })

  test('fetches one number at a time, or none', async () => {
    const feed = new NumberFeed({ name: 'east', seed: 1, waiting: 2, meanMs: 1_000, untilMs: 0 })
    await using server = await startNumberServer(feed)
    expect(await fetchNumber(server.url)).toEqual({ id: 'east-1', number: expect.any(Number) })
    expect(await fetchNumber(server.url)).toEqual({ id: 'east-2', number: expect.any(Number) })
    expect(await fetchNumber(server.url)).toBeUndefined()
    expect(feed.served).toBe(2)
  })

  test('tells when a server has failed; its numbers wait', async () => {
    const answers = [true, false]
    const feed = new NumberFeed({ name: 'east', seed: 1, waiting: 1, meanMs: 1_000, untilMs: 0 })
    await using server = await startNumberServer(feed, () => answers.shift() ?? false)
    await expect(fetchNumber(server.url)).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+ answered 500$/)
    expect(await fetchNumber(server.url)).toMatchObject({ id: 'east-1' })
    expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404)
  })

  test('writes roots to a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'roots-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'roots.txt')
    await appendRoots(file, [root(1), root(2)])
    await appendRoots(file, [root(3)])
    expect(await readFile(file, 'utf8')).toBe('east-1 1 1\neast-2 4 2\neast-3 9 3\n')
  })

  test('posts roots; to post one again does no harm', async () => {
    await using api = await startRootsApi()
    const { signal } = new AbortController()
    await postRoots(api.url, [root(1), root(2)], signal)
    await postRoots(api.url, [root(2), root(3)], signal)
    expect([...api.roots.values()]).toEqual([root(1), root(2), root(3)])
    expect({ posts: api.posts, repeated: api.repeated }).toEqual({ posts: 2, repeated: 1 })
    expect((await fetch(`${api.url}/roots`)).status).toBe(404)
    expect((await fetch(`${api.url}/roots`, { method: 'POST', body: '[{' })).status).toBe(400)
  })

  test('tells when the API has failed, which then has taken nothing', async () => {
    await using api = await startRootsApi(() => true)
    await expect(postRoots(api.url, [root(1)], new AbortController().signal)).rejects.toThrow(/answered 503$/)
    expect({ posts: api.posts, roots: api.roots.size }).toEqual({ posts: 0, roots: 0 })
  })
})

describe('the numbers of a server', () => {
  const options = { name: 'west', seed: 3, waiting: 2, meanMs: 100, untilMs: 1_000 }

  function allOf(feed: NumberFeed, now: number) {
    const numbers: number[] = []
    for (let next = feed.next(now); next; next = feed.next(now)) numbers.push(next.number)
    return numbers
  }

  test('some are there from the beginning, others come with time, and none after the end', () => {
    const feed = new NumberFeed(options)
    expect(allOf(feed, 0)).toHaveLength(2)
    expect(allOf(feed, 49)).toEqual([])
    expect(allOf(feed, 150).length).toBeGreaterThanOrEqual(1)
    expect(allOf(feed, 1_000).length).toBeGreaterThan(3)
    expect(allOf(feed, 1_000_000)).toEqual([])
  })

  test('wait for whoever asks later, and are the same for the same seed', () => {
    const all = allOf(new NumberFeed(options), 1_000)
    const step = new NumberFeed(options)
    expect([0, 300, 600, 1_000].flatMap(now => allOf(step, now))).toEqual(all)
    expect(allOf(new NumberFeed({ ...options, seed: 4 }), 1_000)).not.toEqual(all)
  })
})

test('a row of the table is claimed once', async () => {
  const table = new NumberTable([1, 2, 3].map(number => ({ id: `table-${number}`, number })))
  const claims = await Promise.all([table.claim(2), table.claim(2), table.claim(2)])
  expect(claims.map(rows => rows.map(({ number }) => number))).toEqual([[1, 2], [3], []])
  expect(table.claimed).toBe(3)
})
