import { fixed, kind, type JobContext, type Kind } from '../../src/index.ts'
import type { LedgerWriter } from '../ledger.ts'
import { die } from './fatal-store.ts'
import type { Death } from './mortal.ts'
import { type Thrown, throwables } from './throwables.ts'
import type { Tokens } from './tokens.ts'

/** What the handlers write to. */
export interface Surroundings {
  readonly ledger: LedgerWriter
  readonly tokens: Tokens
}

/** Args of every kind, by its name. */
export interface KindArgs {
  /** Takes so long; 0 is done at once. Then enqueues the next ones of its kind, under these ids. */
  readonly work: { readonly ms: number; readonly next?: readonly string[] }
  /** Fails in the first attempts. */
  readonly again: { readonly failures: number }
  /** The first run waits until it is told to end, or for a time; whoever runs it after a crash is done at once. Both return. */
  readonly hold: { readonly until: 'aborted' | number }
  /** Writes down if it begins before its time, by the wall clock of its process. */
  readonly onTime: Readonly<Record<string, never>>
  /** Lets nothing else run for so long. */
  readonly block: { readonly ms: number }
  /** Waits, and gives up when it is told to. */
  readonly patient: { readonly ms: number }
  /** Never ends, whatever it is told. */
  readonly stuck: Readonly<Record<string, never>>
  readonly throw: { readonly what: Thrown }
  /** Fails outside of its promise. */
  readonly stray: { readonly how: 'timer' | 'promise' }
  /** Takes its process along. */
  readonly poison: Readonly<Record<string, never>>
  /** On a thread, which dies in the first attempt. */
  readonly mortal: { readonly how: Death; readonly failures: 1 }
  /** On threads: ends when so many of its party run at once. */
  readonly meet: { readonly party: string; readonly of: number }
}
export type KindName = keyof KindArgs

/** Those of `threadKinds` are not here. */
type Handlers = {
  readonly [Name in Exclude<KindName, 'mortal' | 'meet'>]: (
    args: KindArgs[Name],
    job: JobContext,
    ledger: LedgerWriter,
  ) => unknown
}

const handlers: Handlers = {
  async work({ ms, next = [] }, { client }, ledger) {
    if (ms > 0) await sleep(ms)
    for (const job of next) ledger.write('enqueue', { job })
    const jobs = await Promise.all(next.map(id => client.enqueue('work', { ms: 0 }, { id })))
    for (const { id, outcome } of jobs) ledger.write(`acked:${outcome}`, { job: id })
  },
  again({ failures }, { attempt }) {
    if (attempt <= failures) throw new Error(`failure ${attempt} of ${failures}`)
  },
  async hold({ until }, { crashes, signal }) {
    if (crashes > 0) return
    if (until === 'aborted') await aborted(signal)
    else await sleep(until)
  },
  onTime(_, { id, runAt }, ledger) {
    if (Date.now() < runAt) ledger.write('early', { job: id })
  },
  block({ ms }) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
  async patient({ ms }, { signal }) {
    await Promise.race([sleep(ms), aborted(signal)])
    signal.throwIfAborted()
  },
  stuck: () => new Promise(() => {}),
  throw({ what }) {
    const thrown: unknown = throwables[what]()
    throw thrown
  },
  async stray({ how }) {
    if (how === 'promise') void Promise.reject(new Error('nobody awaits this'))
    else setTimeout(() => void fail(), 1)
    await new Promise(() => {})
  },
  poison: die,
}

/** The kinds of all fault runs; their handlers write down when they begin and end. */
export function faultKinds(surroundings: Surroundings): readonly Kind[] {
  const { ledger } = surroundings
  return Object.entries(handlers).map(
    ([name, handler]: [string, (args: never, job: JobContext, ledger: LedgerWriter) => unknown]) =>
      witnessedKind(name, (args: never, job) => handler(args, job, ledger), surroundings),
  )
}

/** A kind with a line in the ledger for all that happens to its handler. */
export function witnessedKind(
  name: string,
  handler: (args: never, job: JobContext) => unknown,
  { ledger, tokens }: Surroundings,
): Kind {
  return kind(name, {
    backoff: fixed(5),
    async handler(args: never, job: JobContext) {
      const subject = { job: job.id, attempt: job.attempt, token: tokens.tokenOf(job.id) }
      ledger.write('start', subject)
      job.signal.addEventListener('abort', () => {
        const { reason }: { readonly reason: unknown } = job.signal
        ledger.write(`aborted:${reason instanceof Error && 'code' in reason ? String(reason.code) : 'none'}`, subject)
      })
      const result = await handler(args, job)
      ledger.write('end', subject)
      return result
    },
  })
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function fail(): never {
  throw new Error('out of a timer')
}
