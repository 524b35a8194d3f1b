import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openClient, sqliteStore } from '../../src/index.ts'
import { Child, ChildRefused } from '../child-process.ts'
import type { PlannedJob } from '../child/commands.ts'
import type { Field } from '../field.ts'
import { codeOf, type Context, type Scenario, uuid, within } from '../scenario.ts'
import { hardy, underLoad } from '../under-load.ts'

const busyTimeoutMs = 1_000
/** From the death of who held the lock to the next write of another. */
const recoveryMs = 1_000
/** Root may write everywhere, and nobody else may read this Node or these sources. */
const notShown = 'not shown, as nobody but root can run this program here'

/** F33: runners, a command line, a dashboard on one file; one of them holds the write lock. */
export const sharing: Scenario = {
  id: 'F33',
  fault: 'several processes on one file; one keeps the write lock, lives on or is killed; a folder that is read-only',
  rounds: 20,
  async run(context) {
    const waits: number[] = []
    const tally = await underLoad(context, { lanes: 1, roundsPerField: 10 }, async (field, round) => {
      if (round === 0) await field.runner(hardy).ready
      waits.push(await keepLock(field, context, round % 2 === 0))
    })
    const readOnly = await refuseReadOnly(context)
    if (readOnly !== 'STORE_READ_ONLY' && readOnly !== notShown)
      tally.violations.push(`F33: a read-only folder was refused with ${readOnly}`)
    const longest = Math.round(Math.max(0, ...waits))
    return {
      tally,
      seen: `STORE_BUSY after the deadline; the next write ${longest} ms at most after the lock was free or its holder dead; read-only: ${readOnly}`,
    }
  },
}

/** Answers how long the first write took after the lock was free. */
async function keepLock(field: Field, { random }: Context, isKilled: boolean): Promise<number> {
  const holder = field.spawn()
  const other = field.spawn({ busyTimeoutMs })
  // Reads that are called beside a write wait with it; these have a connection of their own
  await using reader = openClient({ store: sqliteStore(field.path) })
  await Promise.all([holder.ready, other.ready, reader.ready])
  await holder.ask('holdLock')
  await reader.find(uuid(random))
  const begun = performance.now()
  const [refused] = await other.ask('enqueue', [{ id: uuid(random), kind: 'work', args: { ms: 0 } }])
  const waited = performance.now() - begun
  if (refused?.outcome !== 'STORE_BUSY' || waited > busyTimeoutMs + 1_000)
    field.books.violated('F33', `a write beside the lock: ${refused?.outcome ?? 'nothing'} after ${Math.round(waited)} ms`)
  if (isKilled) await holder.kill()
  else await holder.ask('releaseLock')
  const freed = performance.now()
  const job: PlannedJob = { id: uuid(random), kind: 'work', args: { ms: 0 } }
  // The runners, who have waited too, may come first
  const isAccepted = await within(recoveryMs, async () => {
    const [answer] = await other.ask('enqueue', [job])
    return answer?.outcome === 'inserted'
  })
  const ms = performance.now() - freed
  if (!isAccepted) field.books.violated('F33', `no write within ${Math.round(ms)} ms after the lock was free`)
  const { jobs } = await field.store.list({ limit: 1_000 })
  if (jobs.some(({ priority }) => priority === 7)) field.books.violated('F33', 'what was not committed is there')
  await Promise.all([holder.kill(), other.kill()])
  return ms
}

/** Opens a store where this process may not write. As root, to whom that does not apply, a process of nobody tries. Answers the code. */
async function refuseReadOnly({ folder, program, random }: Context): Promise<string> {
  const place = join(folder, 'read-only')
  mkdirSync(place)
  const path = join(place, 'jobs.db')
  const client = openClient({ store: sqliteStore(path) })
  await client.enqueue('work', { ms: 0 })
  await client.close()
  chmodSync(folder, 0o755)
  chmodSync(path, 0o444)
  chmodSync(place, 0o555)
  const ledger = join(folder, 'ledger-of-nobody')
  writeFileSync(ledger, '')
  chmodSync(ledger, 0o666)
  const isRoot = process.getuid?.() === 0
  const asNobody = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const child = new Child({ program, opening: { path, ledger }, ...asNobody })
  try {
    await child.ready
    // Where the log of another process is there, it can be read
    const [answer] = await child.ask('enqueue', [{ id: uuid(random), kind: 'work', args: { ms: 0 } }])
    return answer?.outcome ?? 'nothing'
  } catch (error) {
    if (error instanceof ChildRefused && error.code === 'EXITED' && isRoot) return notShown
    return error instanceof ChildRefused ? codeOf(error) : String(error)
  } finally {
    await child.kill()
    chmodSync(place, 0o755)
  }
}
