import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '@genstage/core'
import { type JobRunner, kind, openClient, sqliteStore, startRunner } from '../../src/index.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import { codeOf, type Context, type Scenario, uuid, within } from '../scenario.ts'
import { emptyTally, type Tally } from '../tally.ts'

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const jobsPerRun = 5

/** Result codes of SQLite, and what they are to be called. */
const faults: readonly (readonly [number, string])[] = [
  [13, 'STORE_FULL'],
  [778, 'STORE_FAILED'],
]

/** F32: one write after the other fails, and then a disk that is really full. */
export const fullDisks: Scenario = {
  id: 'F32',
  fault: 'the nth write fails (disk full, I/O error), for every n; a full tmpfs of 8 MB',
  rounds: 1,
  async run(context) {
    const tally = emptyTally()
    let writes = 0
    for (const [code, ours] of faults) {
      for (let nth = 1; ; nth++) {
        const wasStruck = await failOnce(context, nth, code, ours, tally)
        if (!wasStruck || context.signal.aborted) break
        writes++
        context.passed()
      }
    }
    const disk = await fillDisk(context, tally)
    return { tally, seen: `${writes} writes failed, each undone whole and made again; ${disk}`, rounds: writes }
  },
}

/** A driver whose nth write fails, once. */
class FailingDriver {
  writes = 0
  readonly #nth: number
  readonly #code: number

  constructor(nth: number, code: number) {
    this.#nth = nth
    this.#code = code
  }

  over(real: SqliteDriver): SqliteDriver {
    return {
      ...real,
      open: path => this.#connection(real.open(path)),
      codeOf: error => (error instanceof PlannedFailure ? this.#code : real.codeOf(error)),
    }
  }

  #connection({ exec, prepare, close }: SqliteConnection): SqliteConnection {
    return {
      exec: sql => (this.#guard(sql), exec(sql)),
      prepare: sql => {
        const { run, get, all } = prepare(sql)
        return {
          run: params => (this.#guard(sql), run(params)),
          get: params => (this.#guard(sql), get(params)),
          all: params => (this.#guard(sql), all(params)),
        }
      },
      close,
    }
  }

  #guard(sql: string): void {
    if (/^\s*(BEGIN IMMEDIATE|COMMIT|INSERT|UPDATE|DELETE)/.test(sql) && ++this.writes === this.#nth) throw new PlannedFailure()
  }
}

class PlannedFailure extends Error {}

/** A client and a runner, under which one write fails. Answers whether there were so many. */
async function failOnce(context: Context, nth: number, code: number, ours: string, tally: Tally): Promise<boolean> {
  const { folder, random } = context
  const failing = new FailingDriver(nth, code)
  const path = join(folder, `full-${code}-${nth}.db`)
  // Made before: opening is not what is to fail
  await using client = openClient({ store: sqliteStore(path), logger: quiet })
  await client.ready
  const runs = new Map<string, number>()
  const Count = kind('count', (_: unknown, { id }) => void runs.set(id, (runs.get(id) ?? 0) + 1))
  const store = sqliteStore({ path, driver: failing.over(chooseDriver('auto')) })
  const times = { leaseMs: 5_000, pollMs: 20, sweepMs: 20 }
  let runner = startRunner({ store, kinds: [Count], queues: { default: 2 }, ...times, ...inThisProcess })
  if (!(await isReady(runner))) {
    await runner.stop()
    runner = startRunner({ store, kinds: [Count], queues: { default: 2 }, ...times, ...inThisProcess })
    await runner.ready
  }
  const ids = Array.from({ length: jobsPerRun }, () => uuid(random))
  for (const id of ids) {
    try {
      await runner.enqueue(Count, {}, { id })
    } catch (error) {
      if (codeOf(error) !== ours) tally.violations.push(`F32: write ${nth}: an enqueue was refused with ${codeOf(error)}`)
      await runner.enqueue(Count, {}, { id })
    }
  }
  tally.acknowledged += jobsPerRun
  const isDone = await within(10_000, async () => (await client.stats()).queues['default']?.completed === jobsPerRun)
  if (!isDone) {
    tally.lost++
    tally.violations.push(`JOB-1: write ${nth} failed with ${code}, and then not all jobs were completed`)
  } else tally.completed += jobsPerRun
  tally.attempts += [...runs.values()].reduce((sum, count) => sum + count, 0)
  if ([...runs.values()].some(count => count !== 1)) tally.violations.push(`JOB-6: write ${nth} failed, and a job ran twice`)
  await runner.stop()
  rmSync(path, { force: true })
  return failing.writes >= nth
}

const inThisProcess = { signals: false, strayErrors: 'ignore', retention: false, logger: quiet } as const

function isReady(runner: JobRunner): Promise<boolean> {
  return runner.ready.then(
    () => true,
    () => false,
  )
}

/** A disk that is really full, where this process may make one. Answers what was seen. */
async function fillDisk(context: Context, tally: Tally): Promise<string> {
  const disk = join(context.folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return 'no small disk can be made here (that takes root)'
  }
  try {
    return await enqueueUntilFull(disk, context, tally)
  } finally {
    // Lazily: a driver may let go of a closed file later
    execFileSync('umount', ['--lazy', disk], { stdio: 'ignore' })
  }
}

async function enqueueUntilFull(disk: string, { random }: Context, tally: Tally): Promise<string> {
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(2 * 2 ** 20))
  const client = openClient({ store: sqliteStore(join(disk, 'jobs.db')), logger: quiet })
  const text = 'x'.repeat(10_000)
  let stored = 0
  let code: string | undefined
  while (code === undefined && stored < 10_000) {
    try {
      await client.enqueue('fill', { text }, { id: uuid(random) })
      stored++
    } catch (error) {
      code = codeOf(error)
    }
  }
  if (code !== 'STORE_FULL') tally.violations.push(`F32: a full disk was told as ${code ?? 'nothing'}`)
  // Reading goes on, and nothing is half there
  const { jobs } = await client.list({ limit: 1_000 })
  const depth = await client.queueDepth('default')
  if (depth !== stored || (stored <= 1_000 && jobs.length !== stored))
    tally.violations.push(
      `JOB-1: ${stored} jobs were acknowledged on the full disk, ${depth} are counted, ${jobs.length} are there`,
    )
  rmSync(ballast)
  await client.enqueue('fill', { text })
  await client.close()
  return `${stored} jobs until STORE_FULL, all there, and one more when there was space again`
}
