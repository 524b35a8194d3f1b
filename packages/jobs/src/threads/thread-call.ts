import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { JobsError } from '../errors.ts'
import { toFailure } from '../failure.ts'
import type { JobContext } from '../job-context.ts'
import { decodePayload } from '../payload.ts'
import { clearTimer } from '../timers.ts'
import type { Pool } from './pool.ts'
import type { PoolRun, RunEnd } from './pool-run.ts'
import type { FromThread, Opening, ThreadEnd, ToThread } from './thread-words.ts'
import { outcomeFrom, thrownFrom, wireThrown } from './wire.ts'

/** The function to call, and how. */
export interface ThreadTarget {
  readonly module: string
  readonly export: string
  readonly killAfterMs: number
}

/** Calls the function on a thread of the pool. Resolves with its result or outcome, rejects with what it threw, or with how its thread ended. */
export async function callInThread(pool: Pool, target: ThreadTarget, args: unknown, job: JobContext): Promise<unknown> {
  job.signal.throwIfAborted()
  const { port1, port2 } = new MessageChannel()
  const call = new ThreadCall(pool, target, job, port1)
  try {
    call.open(args)
    return await call.run(port2)
  } finally {
    call.close()
  }
}

/** One call, as this side sees it. */
class ThreadCall {
  readonly #pool: Pool
  readonly #target: ThreadTarget
  readonly #job: JobContext
  readonly #port: MessagePort
  #run: PoolRun | undefined
  /** How the function ended, as soon as it is known. */
  #end: ThreadEnd | undefined
  #killTimer: Disposable | undefined

  constructor(pool: Pool, target: ThreadTarget, job: JobContext, port: MessagePort) {
    this.#pool = pool
    this.#target = target
    this.#job = job
    this.#port = port
  }

  /** Says what is to be called. The thread will find it in its port. */
  open(args: unknown): void {
    const { id, kind, queue, attempt, maxAttempts, crashes, priority, enqueuedAt, runAt, lastProgress } = this.#job
    const { module, export: name } = this.#target
    const facts = { id, kind, queue, attempt, maxAttempts, crashes, priority, enqueuedAt, runAt, lastProgress }
    try {
      this.#port.postMessage({ module, export: name, args, job: facts } satisfies Opening, [])
    } catch (cause) {
      throw this.#error('BAD_PAYLOAD', `its args cannot cross to a thread: ${toFailure(cause).message}`, cause)
    }
  }

  async run(port: MessagePort): Promise<unknown> {
    const { signal, stopping } = this.#job
    this.#port.on('message', (message: FromThread) => this.#take(message))
    const { run, end } = this.#pool.run(port)
    this.#run = run
    signal.addEventListener('abort', this.#aborted)
    stopping.addEventListener('abort', this.#stopping)
    if (stopping.aborted) this.#stopping()
    const ended = await end
    // What it said last may have come with its end, and not have been told yet
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#take(next.message as FromThread)
    return this.#end === undefined ? this.#died(ended) : resultOf(this.#end)
  }

  close(): void {
    this.#job.signal.removeEventListener('abort', this.#aborted)
    this.#job.stopping.removeEventListener('abort', this.#stopping)
    clearTimer(this.#killTimer)
    this.#port.close()
  }

  #take(message: FromThread): void {
    if (message.type === 'progress') this.#job.progress(decodePayload(message.progress))
    else if (message.type === 'log') this.#job.log(message.message, message.level)
    else this.#end = message
  }

  readonly #stopping = (): void => this.#abort('stopping')

  /** It has to end: softly at first. What has not begun is not begun any more. */
  readonly #aborted = (): void => {
    if (this.#run?.hasBegun !== true) return this.#run?.kill()
    this.#abort('signal')
    this.#killTimer = this.#pool.clock.setTimer(this.#target.killAfterMs, () => this.#run?.kill())
  }

  #abort(name: 'signal' | 'stopping'): void {
    this.#port.postMessage({ abort: name, reason: wireThrown(this.#job[name].reason) } satisfies ToThread, [])
  }

  /** The thread is gone, and the function has not ended. */
  #died(end: RunEnd): never {
    const { signal } = this.#job
    switch (end.type) {
      case 'left':
        throw signal.reason
      case 'killed': {
        const ms = this.#target.killAfterMs
        throw this.#error('WORKER_THREAD_EXIT', `its thread was ended ${ms} ms after its signal was aborted`, signal.reason)
      }
      case 'closed':
        throw this.#error('STOPPED', 'its pool of threads is closed')
      case 'exited':
        throw this.#error('WORKER_THREAD_EXIT', `its thread has ended ${howEnded(end)}`, end.error)
      case 'done':
        throw this.#error('WORKER_THREAD_EXIT', 'its thread has not answered')
    }
  }

  #error(code: 'WORKER_THREAD_EXIT' | 'BAD_PAYLOAD' | 'STOPPED', text: string, cause?: unknown): JobsError {
    const { id, kind, queue } = this.#job
    return new JobsError(code, `job ${id} (${kind}): ${text}`, { job: id, kind, queue, cause })
  }
}

function resultOf(end: ThreadEnd): unknown {
  switch (end.type) {
    case 'returned':
      return end.result === undefined ? undefined : decodePayload(end.result)
    case 'copied':
      return end.result
    case 'decided':
      return outcomeFrom(end.outcome)
    case 'threw':
      throw thrownFrom(end.thrown)
  }
}

function howEnded({ code, error }: Extract<RunEnd, { readonly type: 'exited' }>): string {
  const when = code === undefined ? 'before it had begun' : `with exit code ${code}`
  if (error === undefined) return when
  const { name, message } = toFailure(error)
  return `${when}: ${name}: ${message}`
}
