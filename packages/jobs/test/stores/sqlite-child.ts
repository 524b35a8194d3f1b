/**
 * A process that works on the same file as a test: `node child.js COMMAND PATH`. It says `ready`, waits for a line, and says
 * lines of its own.
 *
 * - `open`: opens the store, and closes it.
 * - `insert`: inserts jobs one by one, and says the id of each that is acknowledged, until it is killed.
 * - `lock`: begins a transaction, and keeps it until it is killed.
 * - `hold`: registers as a runner, claims what there is, and lives on without a heartbeat.
 * - `blocked`: registers, claims, starts its heart, and then blocks its event loop for 3 leases.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { createInterface } from 'node:readline'
import { defaultRuntime } from '@genstage/core'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'

const [command, path = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const store = sqliteStore({ path, busyTimeoutMs: 20_000 })
const leaseMs = 1_500
const { clock, logger } = defaultRuntime
const runner = { id: `runner-${process.pid}`, host: hostname(), pid: process.pid, queues: [] }

const commands: Readonly<Record<string, () => Promise<void>>> = {
  async open() {
    await store.open({ clock, logger })
    await store.close()
    say('opened')
  },
  async insert() {
    await store.open({ clock, logger })
    for (;;) {
      const id = randomUUID()
      await store.insert([{ id, queue: 'q', kind: 'k', version: 1, args: '1', priority: 0, delayMs: 0, maxAttempts: 3 }])
      say(id)
    }
  },
  async lock() {
    const connection = chooseDriver('auto').open(path)
    connection.exec('BEGIN IMMEDIATE')
    say('locked')
    await new Promise(resolve => setTimeout(resolve, 60_000))
    connection.close()
  },
  async hold() {
    await store.open({ clock, logger })
    await store.register(runner, 60_000)
    const { jobs } = await store.claim({ runner: runner.id, queue: 'q', limit: 10, kinds: ['k'] })
    say(String(jobs.length))
    await new Promise(resolve => setTimeout(resolve, 60_000))
  },
  async blocked() {
    await store.open({ clock, logger })
    await store.register(runner, leaseMs)
    const { jobs } = await store.claim({ runner: runner.id, queue: 'q', limit: 10, kinds: ['k'] })
    const heart = await store.startHeart?.({
      runner: runner.id,
      leaseMs,
      everyMs: leaseMs / 4,
      giveUpAfterMs: 60_000,
      onLost: () => say('lost'),
      onBlocked: ms => say(`blocked ${ms > 2.9 * leaseMs ? 'for 3 leases' : ms}`),
    })
    say(`beats ${jobs.length}`)
    await new Promise(resolve => setTimeout(resolve, 20))
    const until = performance.now() + 3 * leaseMs
    while (performance.now() < until);
    say('free')
    await new Promise(resolve => setTimeout(resolve, leaseMs / 2))
    await heart?.stop()
    await store.close()
    say('stopped')
  },
}

say('ready')
createInterface({ input: process.stdin }).once('line', () => void commands[command ?? '']?.().then(() => process.stdin.destroy()))
