/**
 * `@genstage/jobs/heartbeat-thread`: the program of the thread that keeps a runner alive while its event loop is busy. It is nothing to
 * import. It has a connection of its own, and stands still between two beats: nothing but the beats happens here.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { chooseDriver } from './choose-driver.ts'
import { type FromHeart, type HeartOpening, signOfLife, stopping } from './heart-words.ts'
import { openConnection } from './opening.ts'
import type { SqliteConnection } from './driver.ts'

/** So long a beat waits while others write. Nobody waits for this thread. */
const busyMs = 1_000

const beat =
  "UPDATE runners SET beats = beats + 1, seen_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE id = ? AND is_dead = 0"

function run(port: MessagePort, opening: HeartOpening): void {
  const tell = (message: FromHeart): void => port.postMessage(message)
  const connection = openConnection(chooseDriver(opening.driver), opening.path, 'full')
  try {
    connection.exec(`PRAGMA busy_timeout = ${busyMs}`)
    tell({ type: 'ready' })
    if (!beatUntilStopped(connection, opening)) tell({ type: 'lost' })
  } finally {
    connection.close()
    port.close()
  }
}

/** Answers false if the runner is lost. */
function beatUntilStopped(connection: SqliteConnection, opening: HeartOpening): boolean {
  const { runner, leaseMs, everyMs, giveUpAfterMs, shared } = opening
  const statement = connection.prepare(beat)
  let life = Atomics.load(shared, signOfLife)
  let aliveAt = performance.now()
  let beatAt = aliveAt
  while (Atomics.wait(shared, stopping, 0, everyMs) === 'timed-out') {
    const now = performance.now()
    if (Atomics.load(shared, signOfLife) !== life) {
      life = Atomics.load(shared, signOfLife)
      aliveAt = now
    }
    // The event loop does not go round any more: what the process holds is better off with others
    if (now - aliveAt > giveUpAfterMs) continue
    try {
      if (statement.run([runner]) === 0) return false
      beatAt = now
    } catch {
      // Busy, or the disk is full: there may be time for another try
      if (now - beatAt > leaseMs) return false
    }
  }
  return true
}

function isOpening(data: unknown): data is HeartOpening {
  return typeof data === 'object' && data !== null && 'genstage' in data && data.genstage === 'heart of a runner'
}

if (parentPort !== null && isOpening(workerData)) run(parentPort, workerData)
