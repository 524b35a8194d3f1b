import { isGraceful, type Reason } from '@genstage/core'
import { burstOver } from './burst.ts'
import { end, type Ending, errorOf, Failure } from '../endings.ts'

/** Reads that may be open at once: what waits in the stream comes in one go, and an idle one costs little. */
const openReads = 16

/** Whom a reader works for. */
interface ChunkHooks {
  /** There is something to hand on, or the stream is over: called once, until that has been looked at by `handOn`. */
  arrived(): void
  /** A chunk that came when nobody took it any more. */
  lost(chunk: unknown): void
}

/** Takes chunks out of a ReadableStream: as many as are wanted, and no more. Tells of a failure also while nothing is wanted. */
export class ChunkReader<T> {
  readonly #reader: ReadableStreamDefaultReader<T>
  readonly #hooks: ChunkHooks
  /** Read, and not handed on. */
  #waiting: T[] = []
  /** To be read. */
  #wanted = 0
  /** Whether anything ever was: a stream that ends before is still there for whoever comes. */
  #wasWanted = false
  /** Reads that have not been answered, never more than are wanted. */
  #reading = 0
  /** How many have been. */
  #answered = 0
  #announced = false
  #isPaused = false
  /** Set when the stream can bring nothing any more but what is there. */
  #hopeless: Failure | undefined
  /** How the stream has ended, if that is known before all reads have been answered. */
  #closed: Ending | undefined
  #ending: Ending | undefined

  constructor(reader: ReadableStreamDefaultReader<T>, hooks: ChunkHooks) {
    this.#reader = reader
    this.#hooks = hooks
    reader.closed.then(
      () => this.#whenClosed(end),
      (error: unknown) => this.#whenClosed(new Failure(error)),
    )
  }

  /** How the stream has ended, once it has and everything before that has been read. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  /** Wants `count` more. */
  want(count: number): void {
    this.#wanted += count
    this.#wasWanted = true
    this.#read()
  }

  /** What has been read, in order. */
  handOn(): readonly T[] {
    const chunks = this.#waiting
    this.#waiting = []
    this.#announced = false
    return chunks
  }

  /** Reads nothing more; what has been begun still comes. */
  pause(): void {
    this.#isPaused = true
  }

  /** The stream will not bring more than is there. If it has not ended by then, it ends with this error. */
  expectNoMore(error: unknown): void {
    this.#hopeless ??= new Failure(error)
    void this.#checkHope()
  }

  /** Cancels the stream, unless it is over, and lets go of it. */
  async close(reason: Reason): Promise<void> {
    if (this.#ending !== undefined) return
    this.#ending = end
    const cancelled = this.#reader.cancel(isGraceful(reason) ? undefined : errorOf(reason))
    this.#reader.releaseLock()
    await cancelled
  }

  #read(): void {
    while (this.#reading < Math.min(this.#wanted, openReads) && this.#ending === undefined && !this.#isPaused) {
      this.#reading++
      this.#reader.read().then(this.#took, this.#failed)
    }
    if (this.#hopeless !== undefined) void this.#checkHope()
  }

  readonly #took = ({ done, value }: ReadableStreamReadResult<T>): void => {
    this.#reading--
    this.#answered++
    if (done) return this.#finish(end)
    // Answered before the stream was cancelled, and too late for whoever wanted it
    if (this.#ending !== undefined) return this.#hooks.lost(value)
    this.#wanted--
    this.#waiting.push(value)
    this.#announce()
    if (this.#closed === undefined) this.#read()
    else this.#whenClosed(this.#closed)
  }

  readonly #failed = (error: unknown): void => this.#finish(new Failure(error))

  /** What was read before the end comes first. */
  #whenClosed(how: Ending): void {
    this.#closed = how
    if (this.#reading === 0 && (this.#wasWanted || how !== end)) this.#finish(how)
  }

  /** A chunk that is there, or an end, answers a read within a step. */
  async #checkHope(): Promise<void> {
    const answered = this.#answered
    await Promise.resolve()
    if (this.#hopeless !== undefined && this.#reading > 0 && this.#answered === answered) this.#finish(this.#hopeless)
  }

  /** The stream is over. Reads that are still open bring the same, and are not listened to. */
  #finish(how: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = how
    this.#reader.releaseLock()
    this.#announce()
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    void burstOver(() => (this.#reading > 0 ? this.#waiting.length : Infinity)).then(() => this.#hooks.arrived())
  }
}
