import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'

/** What a process writes down. Details stand behind a colon: `settled:completed`. */
export type LedgerEvent =
  | 'enqueue'
  | `acked:${'inserted' | 'duplicate' | 'replaced'}`
  | 'claimed'
  | 'start'
  | 'end'
  | `settling:${string}`
  | `settled:${string}`
  | `refused:${string}`
  | `rescued:${string}`
  | `aborted:${string}`
  | 'leaseLost'
  | 'stuck'
  | 'early'
  | 'blocked'
  | 'stopping'

/** A line of the ledger. */
export interface Line {
  /** Nanoseconds of the monotonic clock, which all processes of a machine share. */
  readonly at: bigint
  readonly event: string
  /** Id of the job; empty where it is about none. */
  readonly job: string
  readonly attempt: number
  readonly token: number
  readonly pid: number
}

/** What is known of an attempt when something is written down. */
export interface Subject {
  readonly job?: string
  readonly attempt?: number
  readonly token?: number
}

/** Appends lines. Each is one write to a file that many processes append to, so none is torn, and none is lost with its process. */
export class LedgerWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  write(event: LedgerEvent, { job = '', attempt = 0, token = 0 }: Subject = {}): void {
    writeSync(this.#file, `${process.hrtime.bigint()}|${event}|${job}|${attempt}|${token}|${process.pid}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Reads what has been appended since the last time. */
export class LedgerReader {
  readonly #file: number
  #offset = 0
  /** Of a line that is not written to its end. */
  #rest = ''

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
  }

  read(): readonly Line[] {
    const length = fstatSync(this.#file).size - this.#offset
    if (length <= 0) return []
    const bytes = Buffer.alloc(length)
    this.#offset += readSync(this.#file, bytes, 0, length, this.#offset)
    const lines = (this.#rest + bytes.toString('utf8')).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map(parseLine)
  }

  close(): void {
    closeSync(this.#file)
  }
}

function parseLine(text: string): Line {
  const [at = '0', event = '', job = '', attempt, token, pid] = text.split('|')
  return { at: BigInt(at), event, job, attempt: Number(attempt), token: Number(token), pid: Number(pid) }
}
