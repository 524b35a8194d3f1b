import { GenStageError, type Maybe } from '@genstage/core'
import { oneOf } from '@genstage/core/adapters'
import { JobsError, type JobsErrorCode } from '../errors.ts'
import { delayAfter } from '../backoff.ts'
import { cutText, toFailure } from '../failure.ts'
import { encodeResult, handlerOf, type Kind, readArgs } from '../kind.ts'
import { isOutcome, type Outcome } from '../outcome.ts'
import { encodePayload } from '../payload.ts'
import type { ClaimedJob, Failure, LogEntry, Settlement } from '../store.ts'
import { isThenable } from '../thenable.ts'
import { clearTimer } from '../timers.ts'
import type { EngineContext } from './engine-context.ts'
import { AttemptContext } from './attempt-context.ts'
import { runAttributed } from './stray-errors.ts'

/** Who is told that an attempt is over. */
export interface AttemptOwner {
  /** It needs its place no longer. `settlement` is to be written; without one the job is no longer ours. */
  ended(attempt: Attempt, settlement: Settlement | undefined): void
}

/** What may cut an attempt short. The first counts. */
type Cut =
  | { readonly why: 'timeout' }
  | { readonly why: 'cancel'; readonly reason: string }
  | { readonly why: 'stop' }
  | { readonly why: 'lost' }
  | { readonly why: 'stray'; readonly error: unknown }

const codes: Readonly<Record<Cut['why'], JobsErrorCode>> = {
  timeout: 'JOB_TIMEOUT',
  cancel: 'JOB_CANCELLED',
  stop: 'STOPPED',
  lost: 'LEASE_LOST',
  stray: 'STRAY_ERROR',
}

/** How much of a log line is kept, in bytes. */
const longestLine = 4 * 1024

/**
 * One attempt at a job: calls the handler, aborts it when it has to end, and says what becomes of the job. A handler that returns has
 * done its work, even if it was to end; one that throws after it was told to end has given up.
 */
export class Attempt {
  readonly job: ClaimedJob
  readonly engine: EngineContext
  /** How long the handler ran, once it is over. */
  ranMs = 0
  readonly #owner: AttemptOwner
  readonly #kind: Kind
  #startedAt = 0
  #cut: Cut | undefined
  #isOver = false
  /** The args could be read. */
  #isRead = false
  #signal: AbortController | undefined
  #stopping: AbortController | undefined
  #isStopping = false
  /** The timeout at first, then how long a handler may take to give up. */
  #timer: Disposable | undefined
  /** Resolves what the executor waits for. */
  #release: (() => void) | undefined

  constructor(job: ClaimedJob, kind: Kind, engine: EngineContext, owner: AttemptOwner) {
    this.job = job
    this.engine = engine
    this.#kind = kind
    this.#owner = owner
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** It is known already that the job is no longer ours. */
  get isLost(): boolean {
    return this.#cut?.why === 'lost'
  }

  /** Calls the handler. What it returns resolves, if it is a promise, when the attempt needs its place no longer. It never rejects. */
  begin(): Maybe<void> {
    const { clock, events, runner } = this.engine
    const { job } = this
    this.#startedAt = clock.now()
    if (events.listenerCount('started') > 0) events.emit('started', { ...this.#event(), runner })
    const timeoutMs = job.timeoutMs ?? this.#kind.timeoutMs
    if (timeoutMs !== undefined) this.#timer = clock.setTimer(timeoutMs, () => this.#cutShort({ why: 'timeout' }))
    try {
      const value: unknown = runAttributed(this, () => this.#handle())
      if (!isThenable(value)) return this.#returned(value)
      // Of a thenable it makes a promise, which settles also if its `then` throws
      const promise = Promise.resolve(value)
      return new Promise<void>(resolve => {
        this.#release = resolve
        promise.then(
          result => this.#returned(result),
          (error: unknown) => this.#threw(error),
        )
      })
    } catch (error) {
      this.#threw(error)
    }
  }

  /** The job is to be cancelled. */
  cancel(reason: string): void {
    this.#cutShort({ why: 'cancel', reason })
  }

  /** The runner is to stop; the handler may finish. */
  stopSoon(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#abort(this.#stopping, new JobsError('STOPPED', 'the runner is stopping'))
  }

  /** The time for that is up. */
  stopNow(): void {
    this.stopSoon()
    this.#cutShort({ why: 'stop' })
  }

  /** The job was taken away. */
  lost(): void {
    this.#cutShort({ why: 'lost' })
  }

  /** Something that the handler left behind failed outside of its promise (F13). */
  strayed(error: unknown): void {
    this.#cutShort({ why: 'stray', error })
    this.#end(this.#failedAs(toFailure(error, 'STRAY_ERROR'), error))
  }

  /** Gives up waiting for the handler: what it still brings counts for nothing. */
  abandon(): void {
    if (this.#isOver) return
    const { events, logger, runner } = this.engine
    const { job } = this
    logger.error(`job ${job.id} (${job.kind}) does not end although its signal is aborted; its place is given to others`, {
      code: 'HANDLER_STUCK',
      job: job.id,
      kind: job.kind,
      queue: job.queue,
    })
    if (events.listenerCount('stuck') > 0) events.emit('stuck', { ...this.#event(), runner })
    this.#gaveUp(undefined)
  }

  get signal(): AbortSignal {
    this.#signal ??= new AbortController()
    if (this.#cut !== undefined && !this.#signal.signal.aborted) this.#signal.abort(cutError(this.#cut, this.job))
    return this.#signal.signal
  }

  get stopping(): AbortSignal {
    this.#stopping ??= new AbortController()
    if (this.#isStopping) this.#stopping.abort(new JobsError('STOPPED', 'the runner is stopping'))
    return this.#stopping.signal
  }

  progress(value: unknown): void {
    const text = encodePayload(value, 'progress')
    if (this.#isOver) return
    const { events, reporter, runner } = this.engine
    reporter.progress(this.job, text)
    if (events.listenerCount('progress') > 0) events.emit('progress', { ...this.#event(), runner, progress: value })
  }

  /** `message` is text, but where nobody checks types. */
  log(message: unknown, level: LogEntry['level']): void {
    const checked = oneOf('log', { level }, 'level', ['debug', 'info', 'warn', 'error'], 'info')
    if (this.#isOver) return
    const { clock, reporter } = this.engine
    reporter.log(this.job, { level: checked, message: cutText(String(message), longestLine), at: clock.wallTime() })
  }

  #handle(): unknown {
    const args = readArgs(this.#kind, this.job.version, this.job.args)
    return isThenable(args) ? args.then(read => this.#call(read)) : this.#call(args)
  }

  #call(args: unknown): unknown {
    this.#isRead = true
    const handler = handlerOf(this.#kind)
    if (handler === undefined) throw new JobsError('UNKNOWN_KIND', `kind "${this.job.kind}" has no handler in this runner`)
    const context = new AttemptContext(this, args)
    const { middleware } = this.engine
    if (middleware.length === 0) return handler(args, context)
    let called = -1
    const step = async (index: number): Promise<unknown> => {
      if (index <= called) throw new GenStageError('BAD_OPTION', `middleware[${index - 1}]: next must be called at most once`)
      called = index
      const wrap = middleware[index]
      return wrap === undefined ? handler(args, context) : wrap(context, () => step(index + 1))
    }
    return step(0)
  }

  #returned(value: unknown): void {
    if (this.#isOver) return
    let settlement: Settlement
    try {
      settlement = isOutcome(value) ? this.#decided(value) : this.#completed(value)
    } catch (error) {
      // Another attempt would return the same
      settlement = { ...this.#base(), to: 'failed', failure: toFailure(error) }
    }
    this.#end(settlement)
  }

  #completed(value: unknown): Settlement {
    const result = value === undefined ? undefined : encodeResult(this.#kind, value)
    return { ...this.#base(), to: 'completed', result }
  }

  #threw(error: unknown): void {
    if (this.#isOver) return
    if (this.#cut !== undefined) return this.#gaveUp(error)
    // A thread has refused a result: another attempt would return the same
    if (isBadResult(error)) return this.#end({ ...this.#base(), to: 'failed', failure: toFailure(error) })
    this.#end(this.#failedAs(toFailure(error), error))
  }

  /** The handler was cut short, and has given up or is given up. */
  #gaveUp(error: unknown): void {
    const cut = this.#cut ?? { why: 'stop' }
    if (cut.why === 'lost') return this.#end(undefined)
    if (cut.why === 'cancel') return this.#end({ ...this.#base(), to: 'cancelled', reason: cut.reason })
    if (cut.why === 'stop') return this.#end({ ...this.#base(), to: 'release' })
    const thrown = cut.why === 'stray' ? cut.error : (error ?? cutError(cut, this.job))
    this.#end(this.#failedAs(toFailure(cut.why === 'timeout' ? cutError(cut, this.job) : thrown, codes[cut.why]), thrown))
  }

  #decided(outcome: Outcome): Settlement {
    switch (outcome.type) {
      case 'retry':
        return this.#failedAs(
          toFailure(outcome.error ?? new JobsError('JOB_FAILED', 'the handler asks for another attempt')),
          outcome.error,
          outcome.inMs,
        )
      case 'snooze':
        return { ...this.#base(), to: 'snooze', inMs: outcome.inMs }
      case 'discard':
        return { ...this.#base(), to: 'discarded', failure: { name: 'Discarded', message: outcome.reason } }
      case 'cancel':
        return { ...this.#base(), to: 'cancelled', reason: outcome.reason }
    }
  }

  /** Another attempt if there is one left, else the end. */
  #failedAs(failure: Failure, error: unknown, inMs?: number): Settlement {
    const { job, engine } = this
    // Of the kind, not what a handler may call an error of its own
    if (!this.#isRead && failure.code === 'VERSION_TOO_NEW') return this.#tooNew(failure)
    if (job.attempt >= job.maxAttempts) return { ...this.#base(), to: 'failed', failure }
    if (inMs !== undefined) return { ...this.#base(), to: 'retry', inMs, failure }
    const delay = delayAfter(this.#kind.backoff, { attempt: job.attempt, error, random: engine.runtime.random })
    if (delay.problem !== undefined)
      engine.logger.error(`the back-off of kind "${job.kind}" ${delay.problem}; the default is used`, {
        code: 'BAD_OPTION',
        kind: job.kind,
      })
    return { ...this.#base(), to: 'retry', inMs: delay.inMs, failure }
  }

  /** A newer release has to handle it: it is looked at again later, and does not fail meanwhile. */
  #tooNew(failure: Failure): Settlement {
    const { job, engine } = this
    const { unknownVersionMs } = engine.settings
    const what = `${job.kind} ${job.version}`
    if (!engine.tooNew.has(what)) {
      engine.tooNew.add(what)
      engine.logger.warn(`${failure.message}; its jobs are looked at again every ${unknownVersionMs} ms`, {
        code: 'VERSION_TOO_NEW',
        kind: job.kind,
        version: job.version,
        job: job.id,
      })
    }
    return { ...this.#base(), to: 'snooze', inMs: unknownVersionMs }
  }

  #base(): { readonly seq: number; readonly token: number; readonly ranMs: number } {
    this.ranMs = this.engine.clock.now() - this.#startedAt
    // Times of jobs are whole milliseconds
    return { seq: this.job.seq, token: this.job.token, ranMs: Math.round(this.ranMs) }
  }

  #cutShort(cut: Cut): void {
    if (this.#isOver || this.#cut !== undefined) return
    this.#cut = cut
    this.#clearTimer()
    this.#abort(this.#signal, cutError(cut, this.job))
    const { clock, settings } = this.engine
    if (!this.#isOver) this.#timer = clock.setTimer(settings.abandonMs, () => this.abandon())
  }

  /** What a listener of the handler throws is the handler's, whoever has aborted. */
  #abort(controller: AbortController | undefined, reason: JobsError): void {
    if (controller !== undefined) runAttributed(this, () => controller.abort(reason))
  }

  #end(settlement: Settlement | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#clearTimer()
    this.#owner.ended(this, settlement)
    this.#release?.()
  }

  #clearTimer(): void {
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  #event(): {
    readonly id: string
    readonly kind: string
    readonly queue: string
    readonly attempt: number
    readonly maxAttempts: number
    readonly at: number
  } {
    const { id, kind, queue, attempt, maxAttempts } = this.job
    return { id, kind, queue, attempt, maxAttempts, at: this.engine.clock.wallTime() }
  }
}

function isBadResult(error: unknown): boolean {
  const refusals: readonly JobsErrorCode[] = ['BAD_PAYLOAD', 'PAYLOAD_TOO_LARGE']
  try {
    return error instanceof JobsError && refusals.includes(error.code) && error.path?.startsWith('result') === true
  } catch {
    return false // what was thrown may be anything, also something that must not be looked at
  }
}

/** What the signal is aborted with. */
function cutError(cut: Cut, job: ClaimedJob): JobsError {
  const text: Readonly<Record<Cut['why'], string>> = {
    timeout: 'has used up its time',
    cancel: `was cancelled: ${cut.why === 'cancel' ? cut.reason : ''}`,
    stop: 'has to end, because the runner stops',
    lost: 'was taken away: its runner was taken for dead',
    stray: 'failed outside of its promise',
  }
  return new JobsError(codes[cut.why], `job ${job.id} (${job.kind}) ${text[cut.why]}`, {
    job: job.id,
    kind: job.kind,
    queue: job.queue,
    ...(cut.why === 'stray' ? { cause: cut.error } : {}),
  })
}
