import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openClient, sqliteStore } from '@genstage/jobs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { interruptExample, runExample } from '../shared/run-example.ts'
import { slownessOf } from './disk.ts'
import { planOf, troubleOf } from './plan.ts'
import type { Trouble } from './plan.ts'

let home = ''
let folder = ''
let store = ''
let stores = 0

/** So many names whose files have that trouble. */
function namesWith(trouble: Trouble, count: number, fits = (_name: string): boolean => true): string[] {
  const names: string[] = []
  for (let n = 0; names.length < count; n++) if (troubleOf(`${n}.md`) === trouble && fits(`${n}.md`)) names.push(`${n}.md`)
  return names
}

const fine = namesWith('none', 40)
const broken = namesWith('broken', 2)
const slow = namesWith('slow', 3, name => slownessOf(name) >= 1_500)
const late = namesWith('late', 2, name => planOf(name, 1, 'late').delayMs === 2_000)
const all = [...fine, ...broken, ...slow, ...namesWith('flaky', 4), ...late]

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'job-runner-'))
  folder = join(home, 'texts')
  await mkdir(join(folder, 'deep'), { recursive: true })
  for (const [n, name] of all.entries()) await writeFile(join(folder, name), `the fox number ${n}; the end`)
  await writeFile(join(folder, 'deep/large.txt'), 'the large one '.repeat(10_000))
  await writeFile(join(folder, 'deep/binary'), Buffer.from('not counted \0'))
})
beforeEach(() => void (store = join(home, `jobs-${stores++}.db`)))
afterAll(() => rm(home, { recursive: true }))

const run = (...args: string[]) => runExample('job-runner', '--store', store, ...args)
const interrupt = (signal: NodeJS.Signals, afterMs: number, ...args: string[]) =>
  interruptExample(signal, afterMs, 'job-runner', '--store', store, ...args)

const jobs = all.length + 3
const counted = all.length - broken.length + 1

describe('a folder', () => {
  test('is counted in spite of a bad disk; what is broken is given up, and can be tried again', async () => {
    const { stdout, stderr, code } = await run('--json', '--top', '1', folder)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      files: counted,
      check: 'same',
      jobs: { total: jobs, completed: counted + 1, failed: broken.length, discarded: 1, left: 0 },
      top: [['the', 10_000 + 2 * (counted - 1)]],
      rescued: 0,
    })
    const message = 'the disk is broken here'
    for (const name of broken) expect(result.givenUp).toContainEqual(expect.objectContaining({ name, state: 'failed', message }))

    const again = JSON.parse((await run('--json', '--retry', '--calm', folder)).stdout)
    expect(again).toMatchObject({ files: all.length + 1, check: 'same', jobs: { total: jobs, failed: 0, left: 0 } })
    expect(again.attempts).toEqual([{ kind: 'file.count', queue: 'small', ended: broken.length, failed: 0 }])
  })

  test('is told to people: lines while it works, then the words, the jobs and what was given up', async () => {
    const { stdout, stderr } = await run('--top=2', folder)
    expect(stderr).toMatch(/^(\d:\d\d {2}[\d,]+ of [\d,]+ jobs, [\d,]+\/s, \d+ running, \d+ delayed, \d+ failed\n)+$/)
    expect(stdout).toMatch(/^ {2}1 {2}10,098 {2}█+ {2}the\n/)
    expect(stdout).toContain('a direct count finds the same')
    expect(stdout).toMatch(/\n {2}slow +file\.count +3 +0 /)
    expect(stdout).toMatch(new RegExp(`\n    ${broken[0]}\n      attempts 1 to 3: the disk is broken here\n`))
    expect(stdout).toContain('      attempt 1: no text, or not to be read\n')
  })

  test('is done when it is done: another start does nothing, --fresh does everything again', async () => {
    await run('--json', '--calm', folder)
    expect(JSON.parse((await run('--json', '--calm', folder)).stdout)).toMatchObject({ attempts: [], jobs: { total: jobs } })
    const fresh = JSON.parse((await run('--json', '--calm', '--fresh', folder)).stdout)
    expect(fresh.attempts.reduce((sum: number, { ended }: { ended: number }) => sum + ended, 0)).toBe(jobs)
  })

  test('may be worked on by two processes: every file once', async () => {
    const results = await Promise.all([run('--json', folder), run('--json', folder)])
    const [left, right] = results.map(({ stdout }) => JSON.parse(stdout))
    for (const each of [left, right])
      expect(each).toMatchObject({ files: counted, check: 'same', jobs: { total: jobs, left: 0 } })
    const ended = (result: typeof left) =>
      result.attempts.reduce((sum: number, { ended: n, failed }: { ended: number; failed: number }) => sum + n - failed, 0)
    expect(ended(left) + ended(right)).toBe(counted + 1)
  })
})

describe('SYS-B14 nothing is lost', () => {
  test('SYS-B14 Ctrl-C lets running jobs finish, tells what is left, and the next start goes on', async () => {
    const first = await interrupt('SIGINT', 300, '--concurrency', '1', folder)
    expect(first.code).toBe(130)
    expect(first.stderr).toMatch(/, stopping\n/)
    expect(first.stdout).toMatch(
      /\n {2}stopped: \d+ of \d+ jobs are left\n(.*\n)+ {2}start it again, and it goes on from here\n$/,
    )
    const second = JSON.parse((await run('--json', folder)).stdout)
    expect(second).toMatchObject({ files: counted, check: 'same', rescued: 0, jobs: { total: jobs, left: 0 } })
  })

  test('SYS-B14 SYS-B9 what a killed process had in hand is done by the next one; it leaves the list of runners', async () => {
    const first = await interrupt('SIGKILL', 400, '--json', '--concurrency', '1', folder)
    expect(first).toMatchObject({ code: null, stdout: '' })
    const second = JSON.parse((await run('--json', folder)).stdout)
    expect(second).toMatchObject({ files: counted, check: 'same', jobs: { total: jobs, left: 0 } })
    expect(second.rescued).toBeGreaterThan(0)

    // SYS-B9: the dead one has left the list of runners, as the one that stopped
    await using client = openClient({ store: sqliteStore(store) })
    expect(await client.runners()).toEqual([])
  })
})

describe('the command line', () => {
  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--json=yes'], 'unknown option --json=yes'],
    [['--concurrency', '0'], '--concurrency takes a whole number from 1 to 100, not "0"'],
    [['--top', 'many'], '--top takes a whole number from 0 to 1000, not "many"'],
    [['--store'], '--store takes the name of a file, but none was given'],
    [['a', 'b'], 'one folder at most, but got "a" and "b"'],
    [['no-such-folder'], 'there is no "no-such-folder"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    const { code, stdout, stderr } = await runExample('job-runner', ...args)
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `job-runner: ${message} (see --help)\n` })
  })

  test('a store that is none, or about another folder, is refused', async () => {
    await writeFile(store, 'words '.repeat(1_000))
    const { code, stderr } = await run(folder)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^job-runner: sqliteStore: .*jobs-\d+\.db.*\(see --help\)\n$/)

    store = join(home, 'deep/er/jobs.db')
    await run('--json', '--calm', join(folder, 'deep'))
    await access(store)
    const other = await run(folder)
    expect(other).toMatchObject({ code: 2, stdout: '' })
    expect(other.stderr).toContain('use --fresh to forget that, or another --store')
  })

  test('--help tells how to use it', async () => {
    const { stdout, code } = await runExample('job-runner', '--help')
    expect(code).toBe(0)
    expect(stdout).toContain('--store FILE')
  })
})
