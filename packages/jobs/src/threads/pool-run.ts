import type { MessagePort, Worker } from 'node:worker_threads'

/** How a call has ended, as its pool sees it. */
export type RunEnd =
  | { readonly type: 'done' }
  /** It was killed before a thread had it. */
  | { readonly type: 'left' }
  | { readonly type: 'killed' }
  /** The pool is closed. */
  | { readonly type: 'closed' }
  /** Its thread is gone: with which exit code (undefined: before it could begin), and of which error, if it was one. */
  | { readonly type: 'exited'; readonly code: number | undefined; readonly error: unknown }

/** One call, from when it comes to a pool until its thread has answered or is gone. */
export class PoolRun {
  readonly port: MessagePort
  /** Aborted when it is killed, or will get no thread. */
  readonly #over = new AbortController()
  #thread: Worker | undefined
  #exitCode: Promise<number> | undefined
  #forget: (() => void) | undefined
  /** Why there is no thread for it. */
  #noThread: { readonly error: unknown } | undefined

  constructor(port: MessagePort) {
    this.port = port
  }

  get thread(): Worker | undefined {
    return this.#thread
  }

  get hasBegun(): boolean {
    return this.#thread !== undefined
  }

  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Ends it, and the thread that has it. */
  kill(): void {
    this.#over.abort()
  }

  /** The thread that was to have it died as it began. */
  failToBegin(error: unknown): void {
    this.#noThread = { error }
    this.#over.abort()
  }

  /** A thread has it now. */
  begin(thread: Worker): void {
    this.#thread = thread
    this.#exitCode = new Promise(resolve => {
      thread.once('exit', resolve)
      this.#forget = () => thread.off('exit', resolve)
    })
  }

  /** How it ended, if not well. */
  async endedBy(error: unknown): Promise<RunEnd> {
    if (this.#noThread !== undefined) return { type: 'exited', code: undefined, error: this.#noThread.error }
    if (this.#over.signal.aborted) return { type: this.hasBegun ? 'killed' : 'left' }
    const code = await this.#exitCode
    // An exit is told by its code alone, not by the error that piscina makes of it
    return { type: 'exited', code, error: isExit(error) ? undefined : error }
  }

  /** Lets go of the thread. */
  forget(): void {
    this.#forget?.()
  }
}

function isExit(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('worker exited with code')
}
