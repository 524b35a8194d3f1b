/** What the tests run on threads. */
import { setTimeout as wait } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { JobsError } from '../../src/errors.ts'
import { cancel, discard, type Outcome, retry, snooze } from '../../src/outcome.ts'
import type { ThreadContext } from '../../src/threads/index.ts'

export default function double(n: number): number {
  return 2 * n
}

export const nothing = (): void => {}

export async function facts(_: void, job: ThreadContext): Promise<object> {
  const { signal, stopping, progress, log, lastProgress, ...rest } = job
  await wait(1)
  if (lastProgress !== undefined) throw new Error('there is no progress yet')
  return { ...rest, isFree: !signal.aborted && !stopping.aborted, sorts: [typeof progress, typeof log] }
}

/** Reports as often as it is told, and fails the first time. */
export function report(times: number, job: ThreadContext): unknown {
  const { lastProgress, progress, log } = job
  for (let done = 1; done <= times; done++) progress({ done })
  log('half way')
  log('careful', 'warn')
  if (job.attempt === 1) throw new Error('not yet')
  return lastProgress
}

export function reportDate(_: void, job: ThreadContext): void {
  job.progress({ at: new Date(0) })
}

let late: Promise<void> | undefined

/** Goes on to report when it has returned. */
export function reportLate(_: void, job: ThreadContext): string {
  late = wait(1).then(() => job.progress('late'))
  return 'returned'
}

/** Returns when that has happened. */
export async function afterLate(): Promise<void> {
  await late
}

export function whichThread(): number {
  return threadId
}

export function dateOf(year: number): Date {
  return new Date(Date.UTC(year, 0))
}

class Money {
  readonly #cents = 100
  get cents(): number {
    return this.#cents
  }
}

export const results: Readonly<Record<string, () => unknown>> = {
  date: () => ({ at: new Date(0) }),
  bigint: () => [1n],
  money: () => ({ price: new Money() }),
  function: () => ({ call: () => {} }),
  nan: () => Number.NaN,
}

export function resultOf(sort: string): unknown {
  return results[sort]?.()
}

export function decide(how: string, job: ThreadContext): Outcome | string {
  if (job.attempt > 1) return 'in the end'
  if (how === 'retry') return retry({ inMs: 1, error: new TypeError('again') })
  if (how === 'retry at last') return retry()
  if (how === 'snooze') return snooze(60_000)
  return how === 'discard' ? discard('no such user') : cancel('the order was withdrawn')
}

class PaymentError extends Error {
  override readonly name = 'PaymentError'
  readonly code = 'CARD_DECLINED'
}

export function fail(how: string): never {
  if (how === 'type') throw new TypeError('no text')
  if (how === 'class') throw new PaymentError('the card was declined', { cause: new RangeError('too much') })
  if (how === 'ours') throw new JobsError('BAD_PAYLOAD', 'not that')
  if (how === 'text') throw 'just text' as unknown as Error
  throw new Proxy(new Error('x'), {
    get: () => {
      throw new Error('trap')
    },
  })
}

/** Computes for as long as it may: its event loop stands still, and only the signal tells. */
export function computeUntilAborted(_: void, job: ThreadContext): never {
  job.progress('at work')
  for (;;) job.signal.throwIfAborted()
}

/** The same with a look at `aborted`. Returns, although it was told to end. */
export function countUntilAborted(which: 'signal' | 'stopping', job: ThreadContext): string {
  const { [which]: signal } = job
  job.progress('at work')
  while (!signal.aborted);
  return codeOf(signal)
}

/** Listens, as asynchronous code does. */
export async function waitUntilAborted(which: 'signal' | 'stopping', job: ThreadContext): Promise<string> {
  const { [which]: signal } = job
  job.progress('at work')
  await wait(60_000, undefined, { signal }).catch(() => {})
  return codeOf(signal)
}

/** Never ends, and heeds nothing. */
export function loopForEver(_: void, job: ThreadContext): never {
  job.progress(threadId)
  for (;;);
}

/** Dies in the first attempt. */
export async function mortal(how: 'exit' | 'throw' | 'reject' | 'heap' | 'terminate', job: ThreadContext): Promise<string> {
  if (job.attempt > 1) return 'survived'
  job.progress(threadId)
  switch (how) {
    case 'exit':
      return process.exit(3)
    case 'throw':
      setImmediate(() => {
        throw new RangeError('thrown in a timer')
      })
      break
    case 'reject':
      void Promise.reject(new RangeError('nobody awaits it'))
      break
    case 'heap': {
      const hoard: unknown[] = []
      for (;;) hoard.push(Array.from({ length: 1000 }, (_, n) => ({ n })))
    }
    case 'terminate':
  }
  return new Promise(() => {})
}

/** Fails when it is over. */
export function timeBomb(): string {
  // So late that the result is there: the two come by different ways
  setTimeout(() => {
    throw new RangeError('left behind')
  }, 100)
  return 'fine'
}

function codeOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason
  return reason instanceof JobsError ? reason.code : String(reason)
}
