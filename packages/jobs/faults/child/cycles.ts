import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@genstage/core'
import { kind, memoryStore, openClient, sqliteStore, startRunner } from '../../src/index.ts'

/** What a process holds of the machine. */
export interface Possessions {
  readonly files: number
  readonly resources: number
  readonly listeners: number
  readonly heapMb: number
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const Work = kind('work', () => {})
/** Cycles before the first look: what is loaded and made once. */
const warmUp = 3
const looksAtOnce = 10

/** Starts and stops everything so many times. */
export async function cycles(
  path: string,
  count: number,
): Promise<{ readonly before: Possessions; readonly after: Possessions }> {
  for (let cycle = 0; cycle < warmUp; cycle++) await oneCycle(path)
  const before = await possessions()
  for (let cycle = 0; cycle < count; cycle++) await oneCycle(path)
  return { before, after: await possessions() }
}

async function oneCycle(path: string): Promise<void> {
  for (const store of [sqliteStore(path), memoryStore()]) {
    const runner = startRunner({ store, kinds: [Work], queues: { default: 2 }, logger: quiet, graceMs: 100 })
    const client = openClient({ store, logger: quiet })
    const job = await client.enqueue(Work)
    await job.result({ timeoutMs: 20_000 })
    await runner.stop()
    await client.close()
  }
}

/** What is closed is let go in later turns, and some of it by the garbage collection: the lowest of several looks counts. */
async function possessions(): Promise<Possessions> {
  const looks: Possessions[] = []
  for (let look = 0; look < looksAtOnce; look++) {
    globalThis.gc?.()
    await sleep(30)
    looks.push(possessionsNow())
  }
  const least = (what: keyof Possessions): number => Math.min(...looks.map(each => each[what]))
  return { files: least('files'), resources: least('resources'), listeners: least('listeners'), heapMb: least('heapMb') }
}

function possessionsNow(): Possessions {
  return {
    files: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
  }
}
