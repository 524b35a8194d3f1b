import type { MessagePort } from 'node:worker_threads'
import type { Clock, Logger } from '@genstage/core'
import { Piscina, queueOptionsSymbol } from 'piscina'
import { PoolRun, type RunEnd } from './pool-run.ts'
import { program, programFlags } from './program.ts'
import type { ThreadPoolSettings } from './thread-pool-options.ts'
import type { ThreadTask } from './thread-words.ts'

/** Threads that handlers made by `inThread` share. Made by `threadPool`. */
export interface ThreadPool extends AsyncDisposable {
  /** The most threads at once. */
  readonly threads: number
  /** How many jobs are on a thread now, or on their way to one. */
  readonly running: number
  /** How many wait for a thread to be free. */
  readonly waiting: number
  /**
   * Ends the threads. Resolves when they are gone, which is when the jobs that run or wait have ended. Jobs that come later fail with
   * `STOPPED`, so stop the runner first.
   */
  close(): Promise<void>
}

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>
type Choose = NonNullable<PiscinaOptions['loadBalancer']>

/**
 * A pool of piscina's threads. What piscina would let wait for ever is seen to here. It begins no thread for a task that waits when another
 * thread dies: so it never has more tasks than threads, and the others wait here. It stops filling up to `minThreads` for good when a thread
 * has died as it began: so that is 0. And a task whose first thread died so is not told: so it is told here.
 */
export class Pool implements ThreadPool {
  readonly threads: number
  readonly clock: Clock
  readonly #logger: Logger
  readonly #piscina: Piscina<ThreadTask, void>
  /** With piscina now. */
  readonly #runs = new Set<PoolRun>()
  /** Each resolves with whether it has a place. */
  readonly #waiting = new Map<PoolRun, (isPlaced: boolean) => void>()
  /** The ends of threads that were terminated. */
  readonly #dying = new Set<Promise<void>>()
  /** Of which error a thread without a task has just died. */
  #lastError: unknown
  #closing: Promise<void> | undefined
  #whenEmpty: (() => void) | undefined

  constructor({ threads, idleMs, resourceLimits, env, execArgv, runtime }: ThreadPoolSettings) {
    this.threads = threads
    this.clock = runtime.clock
    this.#logger = runtime.logger
    const flags = [...programFlags(), ...(execArgv ?? [])]
    this.#piscina = new Piscina({
      filename: program,
      name: 'runInThread',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: idleMs,
      // Otherwise a thread without a task stands still, with all the connections its module keeps open
      atomics: 'disabled',
      recordTiming: false,
      loadBalancer: this.#choose,
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(env === undefined ? {} : { env }),
      ...(execArgv === undefined && flags.length === 0 ? {} : { execArgv: flags }),
    })
    this.#piscina.on('error', error => (this.#lastError = error))
    this.#piscina.on('workerDestroy', ({ id }: { readonly id: number }) => this.#threadEnds(id))
  }

  get running(): number {
    return this.#runs.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Brings what is in the port to a thread. */
  run(port: MessagePort): { readonly run: PoolRun; readonly end: Promise<RunEnd> } {
    const run = new PoolRun(port)
    return { run, end: this.#closing === undefined ? this.#work(run) : Promise.resolve({ type: 'closed' }) }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #work(run: PoolRun): Promise<RunEnd> {
    if (this.#runs.size < this.threads) this.#runs.add(run)
    else if (!(await this.#place(run))) return { type: 'left' }
    try {
      const task = { port: run.port, [queueOptionsSymbol]: run }
      await this.#piscina.run(task, { transferList: [run.port], signal: run.over })
      return { type: 'done' }
    } catch (error) {
      // The thread lives, and cannot run our program
      if (run.thread !== undefined && this.#piscina.threads.includes(run.thread)) throw error
      return await run.endedBy(error)
    } finally {
      run.forget()
      this.#release(run)
    }
  }

  #place(run: PoolRun): Promise<boolean> {
    return new Promise(resolve => {
      const leave = (): void => this.#waiting.get(run)?.(false)
      run.over.addEventListener('abort', leave)
      this.#waiting.set(run, isPlaced => {
        run.over.removeEventListener('abort', leave)
        this.#waiting.delete(run)
        if (isPlaced) this.#runs.add(run)
        resolve(isPlaced)
      })
    })
  }

  #release(run: PoolRun): void {
    this.#runs.delete(run)
    const [next] = this.#waiting.values()
    next?.(true)
    if (this.#runs.size === 0) this.#whenEmpty?.()
  }

  /** Piscina asks which thread is to have a task. Once it has an answer, that thread has the task. */
  readonly #choose: Choose = (task, workers) => {
    const free = workers.find(each => each.currentUsage === 0 && !each.destroyed)
    const thread = this.#piscina.threads.find(each => each.threadId === free?.id)
    if (free === undefined || thread === undefined) return null
    const run = task[queueOptionsSymbol]
    if (run instanceof PoolRun) run.begin(thread)
    return free
  }

  #threadEnds(id: number): void {
    const thread = this.#piscina.threads.find(each => each.threadId === id && id !== -1)
    if (thread !== undefined) {
      const gone = new Promise<void>(resolve => thread.once('exit', () => resolve())).then(() => void this.#dying.delete(gone))
      this.#dying.add(gone)
    }
    // Piscina has not let go of it yet, nor told of which error it died
    queueMicrotask(() => this.#threadEnded())
  }

  /** A thread is gone. If it had no task, one may wait for it to begin; else something that was left behind on it has failed. */
  #threadEnded(): void {
    const error = this.#lastError
    this.#lastError = undefined
    let hasFailed = false
    for (const run of this.#runs) {
      if (this.#piscina.queueSize === 0) break
      if (run.hasBegun || run.over.aborted) continue
      hasFailed = true
      run.failToBegin(error)
    }
    if (error !== undefined && !hasFailed)
      this.#logger.warn('a thread without a job has died', { code: 'WORKER_THREAD_EXIT', error })
  }

  async #close(): Promise<void> {
    if (this.#runs.size > 0) await new Promise<void>(resolve => (this.#whenEmpty = resolve))
    await this.#piscina.destroy()
    await Promise.all(this.#dying)
  }
}
