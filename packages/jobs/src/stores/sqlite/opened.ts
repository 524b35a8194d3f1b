import type { Hint, StoreContext } from '../../store.ts'
import { inMemory } from './check-path.ts'
import { GroupCommit } from './group-commit.ts'
import { Hints } from './hints.ts'
import type { LeaseWatch } from './lease-watch.ts'
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
  const session = new Session(file.connection)
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
  return { file, context, session, commit, hints }
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
export async function closeAll({ file, session, commit, hints }: Opened): Promise<void> {
  await commit.idle()
  hints.stop()
  // The file alone is the whole store then, whatever the driver leaves open
  if (file.path !== inMemory) leaveNoLog(session)
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
