import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { defaultRuntime } from '@genstage/core'
import { expect, it, onTestFinished } from 'vitest'
import { schemaVersion } from '../../src/stores/sqlite/schema.ts'
import { type SqliteStore, sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { childProgram } from './sqlite-built.ts'
import { newJob, quiet, temporaryFolder } from './sqlite-files.ts'

/** A process of `sqlite-child.ts`, which is killed after the test. */
class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly exited: Promise<unknown>

  constructor(command: string, path: string) {
    this.#process = spawn(process.execPath, [childProgram, command, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    this.exited = once(this.#process, 'exit')
    onTestFinished(() => void this.#process.kill('SIGKILL'))
  }

  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next()
    return done === true ? undefined : value
  }

  go(): void {
    this.#process.stdin.write('go\n')
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.exited
  }
}

async function started(command: string, path: string): Promise<Child> {
  const child = new Child(command, path)
  expect(await child.line()).toBe('ready')
  child.go()
  return child
}

async function openHere(path: string): Promise<SqliteStore> {
  const store = sqliteStore({ path })
  await store.open({ clock: defaultRuntime.clock, logger: quiet })
  onTestFinished(() => store.close())
  return store
}

const asking = { id: 'asking', host: 'h', pid: process.pid, queues: [] }
const rescue = { runner: 'asking', crashLimit: 3, limit: 100 }

it('JOB-20 F7 lets 20 processes make one file at the same moment: the schema once, all start', { timeout: 120_000 }, async () => {
  const path = join(temporaryFolder(), 'jobs.db')
  const children = Array.from({ length: 20 }, () => new Child('open', path))
  for (const child of children) expect(await child.line()).toBe('ready')
  for (const child of children) child.go()
  for (const child of children) expect(await child.line()).toBe('opened')
  const store = await openHere(path)
  expect(store.schemaVersion).toBe(schemaVersion)
  expect(await store.integrityCheck()).toEqual([])
})

it(
  'F6 F33 loses nothing that was acknowledged to processes that are killed while others write',
  { timeout: 60_000 },
  async () => {
    const path = join(temporaryFolder(), 'jobs.db')
    const store = await openHere(path)
    const acknowledged: (string | undefined)[] = []
    for (let round = 0; round < 3; round++) {
      const children = await Promise.all([started('insert', path), started('insert', path)])
      for (let count = 0; count < 25; count++) {
        for (const child of children) acknowledged.push(await child.line())
        await store.insert([newJob({ queue: 'here' })])
      }
      await Promise.all(children.map(child => child.kill()))
    }
    expect(acknowledged).toHaveLength(150)
    const found = await store.find(acknowledged.map(String))
    expect(found.filter(job => job?.state !== 'waiting')).toEqual([])
    expect((await store.stats()).queues['here']?.waiting).toBe(75)
    expect(await store.integrityCheck()).toEqual([])
  },
)

it('F33 goes on at once when the process dies that holds the write lock', { timeout: 60_000 }, async () => {
  const path = join(temporaryFolder(), 'jobs.db')
  const store = await openHere(path)
  const child = await started('lock', path)
  expect(await child.line()).toBe('locked')
  let isInserted = false
  const inserted = store.insert([newJob()]).finally(() => (isInserted = true))
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => void setImmediate(resolve))
  expect(isInserted).toBe(false)
  await child.kill()
  expect(await inserted).toHaveLength(1)
})

it('F1 JOB-8 finds a killed runner by its process, long before its lease is over', { timeout: 60_000 }, async () => {
  const path = join(temporaryFolder(), 'jobs.db')
  const store = await openHere(path)
  await store.register(asking, 60_000)
  await store.insert([newJob(), newJob()])
  const child = await started('hold', path)
  expect(await child.line()).toBe('2')
  expect((await store.rescue(rescue)).runners).toEqual([])
  await child.kill()
  const { runners, jobs } = await store.rescue(rescue)
  expect(runners).toHaveLength(1)
  expect(jobs.map(({ state }) => state)).toEqual(['waiting', 'waiting'])
})

it(
  'F10 takes no job from a runner whose event loop is blocked for 3 leases, while its heart beats',
  { timeout: 60_000 },
  async () => {
    const path = join(temporaryFolder(), 'jobs.db')
    const store = await openHere(path)
    await store.register(asking, 60_000)
    await store.insert([newJob()])
    const child = await started('blocked', path)
    expect(await child.line()).toBe('beats 1')
    let isFree = false
    const free = child.line().then(line => {
      isFree = true
      return line
    })
    let sweeps = 0
    while (!isFree) {
      expect((await store.rescue(rescue)).runners).toEqual([])
      sweeps++
      // Sweeps without a pause would leave the heart no moment to write
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    expect(await free).toBe('free')
    expect(sweeps).toBeGreaterThan(3)
    expect(await child.line()).toBe('blocked for 3 leases')
    expect(await child.line()).toBe('stopped')
    await child.exited
  },
)
