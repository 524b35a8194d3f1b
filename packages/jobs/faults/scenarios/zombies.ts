import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../child-process.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { sqliteBusy } from '../../src/stores/sqlite/sqlite-errors.ts'
import { type Field, quick } from '../field.ts'
import { groupsOf, type Scenario, uuid } from '../scenario.ts'
import { addTally, emptyTally } from '../tally.ts'
import { withField } from '../with-field.ts'

const lanes = 4
const leaseMs = 500
/** A block is measured from when the thread beats, which takes a while to start. */
const heartStartMs = 1_000

/** F8: a process that stood still for longer than its lease comes back, and still believes that it holds its job. */
export const zombies: Scenario = {
  id: 'F8',
  fault: 'SIGSTOP for longer than the lease; another completes the job; SIGCONT',
  rounds: 200,
  async run(context) {
    const { random, signal, passed } = context
    const tally = emptyTally()
    await Promise.all(
      groupsOf(context.rounds, Math.ceil(context.rounds / lanes)).map(async rounds => {
        const each = await withField(context, { concurrency: 1, isKept: false }, async field => {
          const runners = [1, 2].map(() =>
            field.runner({ leaseMs, heartbeatMs: 50, queues: { default: { concurrency: 1, maxPrefetch: 0 } } }),
          )
          await Promise.all(runners.map(({ ready }) => ready))
          for (let round = 0; round < rounds && !signal.aborted; round++) {
            await freeze(field, runners, uuid(random), round % 2 === 0 ? 'aborted' : leaseMs)
            passed()
          }
        })
        addTally(tally, each)
      }),
    )
    return { tally, seen: `${tally.staleRefused} stale ends refused, handlers aborted, leaseLost told` }
  },
}

async function freeze(field: Field, runners: readonly Child[], job: string, until: 'aborted' | number): Promise<void> {
  await field.enqueue([{ id: job, kind: 'hold', args: { until } }])
  const first = await field.line(line => line.job === job && line.event === 'start')
  const zombie = runners.find(({ pid }) => pid === first?.pid)
  if (first === undefined || zombie === undefined) return field.books.violated('F8', `job ${job} was not started`)
  await stopOutsideOfTransactions(zombie, field.path)
  const end = await field.line(({ job: id, event, pid }) => id === job && event === 'settled:completed' && pid !== zombie.pid)
  zombie.signal('SIGCONT')
  if (end === undefined) return field.books.violated('JOB-8', `job ${job} was not taken over from a process that stood still`)
  const refused = await field.line(
    ({ job: id, event, token }) => id === job && token === first.token && event.startsWith('refused:'),
  )
  if (refused === undefined) field.books.violated('JOB-4', `the stale end of job ${job} was not refused`)
  const told = await field.line(({ job: id, event }) => id === job && event === 'leaseLost')
  if (told === undefined) field.books.violated('F8', `nobody was told that the lease of job ${job} was lost`)
  if (until !== 'aborted') return
  const aborted = await field.line(({ job: id, event }) => id === job && event === 'aborted:LEASE_LOST')
  if (aborted === undefined) field.books.violated('F8', `the handler of job ${job} was not aborted`)
}

/**
 * Stops a process where it does not hold the write lock. One that stands still inside a transaction keeps everybody from writing, until it
 * goes on or dies: with SQLite there is no other way (F33).
 */
async function stopOutsideOfTransactions(child: Child, path: string): Promise<void> {
  for (;;) {
    child.signal('SIGSTOP')
    // Its threads stop one by one, and one of them may be on its way into a transaction
    await sleep(30)
    if (await isWritable(path)) return
    child.signal('SIGCONT')
    await sleep(10)
  }
}

async function isWritable(path: string): Promise<boolean> {
  const driver = chooseDriver('auto')
  const connection = driver.open(path)
  try {
    connection.exec('PRAGMA busy_timeout = 100')
    connection.exec('BEGIN IMMEDIATE')
    connection.exec('ROLLBACK')
    return true
  } catch (error) {
    if (driver.codeOf(error) === sqliteBusy) return false
    throw error
  } finally {
    connection.close()
  }
}

/** F10: a handler that lets nothing else run, for ten leases. A thread goes on beating for it. */
export const blockedLoops: Scenario = {
  id: 'F10',
  fault: 'the handler blocks the event loop for ten leases',
  rounds: 100,
  async run(context) {
    const { rounds, random, passed } = context
    const blocking = { leaseMs: 300, heartbeatMs: 60 }
    const lanesOfBlocked = 8
    let once = 0
    let told = 0
    const tally = await withField(context, { concurrency: 1, isKept: false }, async field => {
      const queues = { default: { concurrency: 1, maxPrefetch: 0 } }
      const workers = Array.from({ length: Math.min(rounds, lanesOfBlocked) }, () => field.runner({ ...blocking, queues }))
      // One that never blocks, and would take what it believes to be left
      const watcher = field.runner({ ...blocking, queues: { other: 1 } })
      await Promise.all([...workers, watcher].map(({ ready }) => ready))
      await sleep(heartStartMs)
      const ids = Array.from({ length: rounds }, () => uuid(random))
      const ms = 10 * blocking.leaseMs
      await field.enqueue(ids.map(id => ({ id, kind: 'block', args: { ms } })))
      for (const id of ids) {
        await field.line(({ job, event }) => job === id && event === 'settled:completed', 10 * rounds * ms)
        if (field.books.runsOf(id) === 1) once++
        passed()
      }
      await field.line(() => field.lines.filter(({ event }) => event === 'blocked').length >= rounds, quick.leaseMs)
      told = field.lines.filter(({ event }) => event === 'blocked').length
      // Two blocks with nothing in between are told as one
      const blocked = new Set(field.lines.filter(({ event }) => event === 'start').map(({ pid }) => pid))
      for (const pid of blocked)
        if (!field.lines.some(line => line.pid === pid && line.event === 'blocked'))
          field.books.violated('F10', `process ${pid} has not told of EVENT_LOOP_BLOCKED`)
    })
    return { tally, seen: `${once} of ${rounds} ran once, by heartbeats of a thread; EVENT_LOOP_BLOCKED told ${told} times` }
  },
}
