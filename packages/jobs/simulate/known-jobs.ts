import type { JobState, NewJob, TerminalState } from '../src/store.ts'

/** A job as the witness knows it: from what was asked of the store, and what it answered. */
export interface KnownJob {
  readonly id: string
  seq: number | undefined
  readonly queue: string
  readonly kind: string
  args: string
  priority: number
  maxAttempts: number
  readonly unique: NewJob['unique']
  /** Not to be claimed before, by the date of the store. */
  runAt: number
  state: 'open' | 'held' | TerminalState | 'removed'
  /** When it ended, by the date of the store. */
  finishedAt: number | undefined
  holder: { readonly token: number; readonly runner: string; hasBegun: boolean } | undefined
  /** Attempts that count. */
  attempts: number
  crashes: number
  isCancelRequested: boolean
  /** Nobody else may have its key. Windows, which end by themselves, are not looked at. */
  holdsKey: boolean
}

/** What the store should hold. */
export class KnownJobs {
  readonly byId = new Map<string, KnownJob>()
  readonly bySeq = new Map<number, KnownJob>()

  all(): readonly KnownJob[] {
    return [...this.byId.values()]
  }

  heldBy(runner: string): readonly KnownJob[] {
    return this.all().filter(({ holder }) => holder?.runner === runner)
  }

  /** The job that is held by this claim, and by no later one. */
  held({ seq, token }: { readonly seq: number; readonly token: number }): KnownJob | undefined {
    const job = this.bySeq.get(seq)
    return job?.holder?.token === token ? job : undefined
  }

  holderOf(key: string): KnownJob | undefined {
    return this.all().find(({ unique, holdsKey }) => holdsKey && unique?.key === key)
  }
}

export function isTerminal(state: KnownJob['state']): state is TerminalState {
  return state === 'completed' || state === 'failed' || state === 'discarded' || state === 'cancelled'
}

/** Whether the store may call it so. */
export function isSameState(known: KnownJob['state'], stored: JobState): boolean {
  if (known === 'open') return stored === 'waiting' || stored === 'delayed'
  return known === 'held' ? stored === 'running' : known === stored
}

/** The order of claims. */
export function compareClaims(a: KnownJob, b: KnownJob): number {
  return a.priority - b.priority || a.runAt - b.runAt || (a.seq ?? Infinity) - (b.seq ?? Infinity)
}
