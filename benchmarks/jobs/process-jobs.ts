import { setTimeout as pause } from 'node:timers/promises'
import type { RateFigures } from './figures.ts'
import type { OpenJobSystem } from './job-system.ts'
import { payloadsOf } from './payload.ts'

const chunk = 1_000

/** Stores jobs in bulk, as one does who has many. */
export async function fill(open: OpenJobSystem, run: number, count: number): Promise<void> {
  for (let from = 0; from < count; from += chunk) {
    await open.addMany(payloadsOf(run, from, Math.min(chunk, count - from)))
  }
  await open.settle?.()
}

export interface ProcessRun {
  readonly run: number
  /** Jobs of this run that wait. */
  readonly waiting: number
  /** Ends after so many. */
  readonly count: number
  readonly concurrency: number
  readonly mostMs: number
}

/** A job was handed over twice, though nothing had gone wrong. */
export class HandledTwice extends Error {
  constructor(n: number) {
    super(`job ${n} was handled twice`)
    this.name = 'HandledTwice'
  }
}

/** Works until so many jobs are handled, or the time is over: from the start of the worker to the last call of a handler. */
export async function processJobs(open: OpenJobSystem, run: ProcessRun): Promise<RateFigures> {
  const { count, waiting, concurrency, mostMs } = run
  const seen = new Uint8Array(waiting)
  let handled = 0
  let twice: number | undefined
  let lastMs = 0
  let enough = (): void => {}
  const done = new Promise<true>(resolve => {
    enough = () => resolve(true)
  })
  const cutOff = new AbortController()
  const begun = performance.now()
  const stop = await open.work(concurrency, job => {
    if (job.run !== run.run) return
    if (seen[job.n] === 1) twice ??= job.n
    seen[job.n] = 1
    if (handled === count) return
    handled += 1
    if (handled < count) return
    lastMs = performance.now() - begun
    enough()
  })
  const inTime = await Promise.race([done, pause(mostMs, false, { signal: cutOff.signal }).catch(() => false)])
  const figures: RateFigures = { kind: 'rate', jobs: handled, ms: inTime ? lastMs : performance.now() - begun }
  cutOff.abort()
  await stop()
  if (twice !== undefined) throw new HandledTwice(twice)
  return figures
}
