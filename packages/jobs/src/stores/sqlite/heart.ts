import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import type { Clock, Logger } from '@genstage/core'
import type { Heart, HeartOptions } from '../../store.ts'
import { clearTimer } from '../../timers.ts'
import type { SqliteDriverName } from './driver.ts'
import { type FromHeart, type HeartOpening, signOfLife, stopping } from './heart-words.ts'

/** The program of the thread. It stands beside this file, be that source, an ES module or CommonJS, and has the same ending. */
const program = new URL(import.meta.url.replace(/[^/]*(\.[cm]?[jt]s)(\?.*)?$/, 'heartbeat-thread$1'))

/** By what the thread reaches the file. */
export interface HeartPlace {
  readonly path: string
  readonly driver: SqliteDriverName
  readonly clock: Clock
  readonly logger: Logger
}

/** Starts the thread that beats for a runner. Answers undefined, with a line in the log, where it cannot reach the file. */
export async function startHeart(place: HeartPlace, options: HeartOptions): Promise<Heart | undefined> {
  const heart = new ThreadHeart(place, options)
  return (await heart.started()) ? heart : undefined
}

class ThreadHeart implements Heart {
  readonly #place: HeartPlace
  readonly #options: HeartOptions
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  readonly #worker: Worker
  readonly #exited: Promise<void>
  #isOver = false
  /** It has beaten: only then can it be lost. */
  #hasBegun = false
  #signing: Disposable | undefined

  constructor(place: HeartPlace, options: HeartOptions) {
    this.#place = place
    this.#options = options
    const { runner, leaseMs, everyMs, giveUpAfterMs } = options
    const { path, driver } = place
    const opening: HeartOpening = {
      genstage: 'heart of a runner',
      path,
      driver,
      runner,
      leaseMs,
      everyMs,
      giveUpAfterMs,
      shared: this.#shared,
    }
    this.#worker = new Worker(program, { name: `heart ${runner}`, ...fromSource(), workerData: opening })
    this.#exited = new Promise(resolve => void this.#worker.once('exit', () => resolve()))
    this.#sign() // a block that begins before the thread does is told as well
  }

  /** Resolves when it beats: `true`; or when it has failed: `false`. */
  async started(): Promise<boolean> {
    const isReady = await new Promise<boolean>(resolve => {
      this.#worker.on('message', (message: FromHeart) => (message.type === 'ready' ? resolve(true) : this.#lost()))
      this.#worker.on('error', error => {
        this.#place.logger.warn('the heartbeat thread of a runner has failed', { runner: this.#options.runner, error })
      })
      this.#worker.on('exit', () => {
        resolve(false)
        this.#lost()
      })
    })
    if (!isReady) return false
    this.#worker.unref()
    this.#hasBegun = true
    return true
  }

  async stop(): Promise<void> {
    this.#isOver = true
    clearTimer(this.#signing)
    Atomics.store(this.#shared, stopping, 1)
    Atomics.notify(this.#shared, stopping)
    this.#worker.ref()
    await this.#exited
  }

  /** Gives a sign of life, again and again; one that comes late tells how long the event loop was blocked. */
  #sign(): void {
    const { clock } = this.#place
    const { leaseMs, everyMs, onBlocked } = this.#options
    const pauseMs = Math.max(1, everyMs / 4)
    const signedAt = clock.now()
    Atomics.add(this.#shared, signOfLife, 1)
    this.#signing = clock.setTimer(pauseMs, () => {
      if (this.#isOver) return
      const blockedMs = clock.now() - signedAt - pauseMs
      this.#sign()
      if (blockedMs > leaseMs / 2) onBlocked(blockedMs)
    })
  }

  /** Told once; not after a stop, and not before it has begun. */
  #lost(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimer(this.#signing)
    if (this.#hasBegun) this.#options.onLost()
  }
}

/** From source, without a build, the thread has to read TypeScript: tsx teaches it, which only those have who work on this package. */
function fromSource(): WorkerOptions {
  if (!program.pathname.endsWith('.ts')) return {}
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))
  const register = `import { register } from ${JSON.stringify(new URL('dist/esm/api/index.mjs', tsx))}; register()`
  return { execArgv: ['--conditions=@genstage/source', '--import', `data:text/javascript,${encodeURIComponent(register)}`] }
}
