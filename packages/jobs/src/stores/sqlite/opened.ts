import type { Hint, StoreContext } from '../../store.ts'
import { inMemory } from './check-path.ts'
import type { SqliteConnection } from './driver.ts'
import { FileWatch } from './file-watch.ts'
import { GroupCommit } from './group-commit.ts'
import { Hints } from './hints.ts'
import type { LeaseWatch } from './lease-watch.ts'
import { LogLimit } from './log-limit.ts'
import { type OpenFile, openFile } from './opening.ts'
import { watchBeats } from './runners.ts'
import { Session } from './session.ts'
import type { SqliteSettings } from './sqlite-options.ts'

/** What there is while the store is open. */
export interface Opened {
  readonly file: OpenFile
  readonly context: StoreContext
  readonly session: Session
  readonly commit: GroupCommit
  readonly hints: Hints
  /** Undefined without a file. */
  readonly care: FileCare | undefined
}

/** What looks after the file beside the work on it. */
interface FileCare {
  readonly watch: FileWatch
  readonly limit: LogLimit
}

/** Opens the file, and joins the parts that work on it. Rejects as `openFile` does. */
export async function openAll(
  settings: SqliteSettings,
  context: StoreContext,
  watch: LeaseWatch,
  listeners: Set<(hint: Hint) => void>,
): Promise<Opened> {
  const file = await openFile(settings, context)
  const { clock, logger } = context
  const care = file.path === inMemory ? undefined : careFor(file, context)
  const session = new Session(care === undefined ? file.connection : withCare(file.connection, care))
  const hints = new Hints(
    {
      clock,
      logger,
      pollMs: settings.pollMs,
      dataVersion: () => orUndefined(() => Number(session.row('PRAGMA data_version')?.[0])),
      // The sooner beats are seen, the sooner it is sure that they have stopped
      changed: () => orUndefined(() => watchBeats(session, watch, clock.now())),
    },
    listeners,
  )
  const commit = new GroupCommit(session, {
    driver: file.driver,
    path: file.path,
    clock,
    busyTimeoutMs: settings.busyTimeoutMs,
    tell: told => hints.tell(told),
  })
  hints.watch()
  return { file, context, session, commit, hints, care }
}

function careFor({ connection, path }: OpenFile, { clock }: StoreContext): FileCare {
  const watch = new FileWatch(path, clock)
  return { watch, limit: new LogLimit(connection, watch, clock) }
}

/** No transaction is acknowledged that would go into a file which nobody finds any more. */
function withCare(connection: SqliteConnection, { watch, limit }: FileCare): SqliteConnection {
  return {
    exec(sql) {
      if (sql === 'COMMIT') watch.look()
      if (sql !== 'ROLLBACK') watch.refuse()
      connection.exec(sql)
      if (sql === 'COMMIT') limit.look()
      // What has failed may have failed for that
      if (sql === 'ROLLBACK') watch.lookAtLog()
    },
    prepare: sql => connection.prepare(sql),
    close: () => connection.close(),
  }
}

/** What is read between transactions, to be quick: where it cannot be read now, the next time is early enough. */
function orUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Finishes what was called, and lets go of the file. */
export async function closeAll({ session, commit, hints, care }: Opened): Promise<void> {
  await commit.idle()
  hints.stop()
  care?.limit.stop()
  // The file alone is the whole store then, whatever the driver leaves open. What was lost has no business in another one's file
  if (care?.watch.isLost === false) leaveNoLog(session)
  session.close()
}

/** Moves what is in the write-ahead log into the file. Where others use the file, or the disk is full, the log stays, and nothing is lost. */
function leaveNoLog(session: Session): void {
  try {
    session.row('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // What was acknowledged is safe in the log
  }
}
