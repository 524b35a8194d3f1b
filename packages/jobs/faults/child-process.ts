import { type ChildProcess, spawn } from 'node:child_process'
import type { Commands } from './child/commands.ts'
import type { Opening } from './child/opening.ts'
import type { Ask, FromChild } from './child/port.ts'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a child answers when a command was refused, or when it could not start. */
export class ChildRefused extends Error {
  override readonly name = 'ChildRefused'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** How to start one. */
export interface SpawnOptions {
  readonly program: string
  readonly opening: Opening
  readonly env?: Readonly<Record<string, string>>
  readonly execArgv?: readonly string[]
  /** As another user. */
  readonly uid?: number
  readonly gid?: number
}

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** A process that works, can be asked, and is killed. */
export class Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Resolves when its store is open and its runner works; rejects if that fails, or if it dies before. */
  readonly ready: Promise<void>
  /** What it has written to its error output. */
  errors = ''
  /** When it was killed from here, by the clock of the ledger. */
  killedAt: bigint | undefined
  #isOver = false
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0

  constructor({ program, opening, env = {}, execArgv = [], ...user }: SpawnOptions) {
    this.#process = spawn(process.execPath, [...execArgv, program, JSON.stringify(opening)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
      ...user,
    })
    this.pid = this.#process.pid ?? 0
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    this.exited = new Promise(resolve => {
      this.#process.once('exit', (code, signal) => {
        this.#isOver = true
        resolve({ code, signal })
      })
      this.#process.on('error', error => {
        if (this.#process.pid !== undefined) return // a message to a process that has died meanwhile
        this.errors += error.message
        this.#isOver = true
        resolve({ code: null, signal: null })
      })
    })
    this.ready = new Promise((resolve, reject) => {
      this.#process.on('message', (message: FromChild) => {
        if (message.type === 'ready') resolve()
        else if (message.type === 'failed') reject(new ChildRefused(message.code, message.message))
        else this.#answered(message)
      })
      void this.exited.then(({ code, signal }) => {
        const error = new ChildRefused('EXITED', `the process ended with ${signal ?? code ?? 'nothing'}: ${this.errors}`)
        reject(error)
        for (const { reject: refuse } of this.#waiting.values()) refuse(error)
      })
    })
    this.ready.catch(() => {}) // who does not wait for it sees how it ends
  }

  get isOver(): boolean {
    return this.#isOver
  }

  ask<Name extends keyof Commands>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const number = ++this.#asked
    const ask: Ask = { number, command, args }
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#process.send(ask, error => {
        if (error === null) return
        this.#waiting.delete(number)
        reject(new ChildRefused('EXITED', error.message))
      })
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Kills it, and resolves when it is dead. */
  async kill(): Promise<void> {
    this.killedAt ??= process.hrtime.bigint()
    this.signal('SIGKILL')
    await this.exited
  }

  #answered(message: Extract<FromChild, { number: number }>): void {
    const waiting = this.#waiting.get(message.number)
    this.#waiting.delete(message.number)
    if (message.type === 'answer') waiting?.resolve(message.value as never)
    else waiting?.reject(new ChildRefused(message.code, message.message))
  }
}
