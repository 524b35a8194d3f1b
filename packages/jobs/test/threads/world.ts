/** Runners whose handlers are on threads, and the threads that live. */
import type { Worker } from 'node:worker_threads'
import { createRuntime } from '@genstage/core'
import { afterEach, vi } from 'vitest'
import type { JobEvents } from '../../src/events.ts'
import { type Job, type JobRunner, type Kind, memoryStore, type RunnerOptions, startRunner } from '../../src/index.ts'
import type { InThreadOptions, ThreadArgs, ThreadPool, ThreadPoolOptions } from '../../src/threads/index.ts'
import { builtFunctions, builtWorker } from './built.ts'
import type * as functions from './functions.ts'

vi.doMock('../../src/threads/program.ts', () => ({ program: builtWorker, programFlags: () => [] }))
/** Threads that begin fast. */
export const { inThread, threadPool } = await import('../../src/threads/index.ts')

type Functions = Omit<typeof functions, 'results'>

/** The handler that runs a function of the tests. */
export function threaded<Name extends keyof Functions>(
  name: Name,
  options: InThreadOptions = {},
): (
  args: ThreadArgs<Functions[Name]>,
  job: Parameters<ReturnType<typeof inThread>>[1],
) => Promise<Awaited<ReturnType<Functions[Name]>>> {
  return inThread<Functions[Name]>(builtFunctions, { export: name, ...options })
}

const open: (() => Promise<void>)[] = []
/** Warnings of pools: what threads died of that had no job. */
export const warnings: string[] = []

afterEach(async () => {
  // Runners before their pools
  for (const close of open.splice(0).reverse()) await close()
  warnings.length = 0
})

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A pool that is closed after the test. */
export function poolOf(options: ThreadPoolOptions = {}): ThreadPool {
  const warn = (text: string, fields?: Readonly<Record<string, unknown>>): void =>
    void warnings.push(`${text}: ${String(fields?.['error'])}`)
  const pool = threadPool({ threads: 1, runtime: createRuntime({ logger: { ...silent, warn } }), ...options })
  open.push(() => pool.close())
  return pool
}

/** A runner that is stopped after the test. */
export function runnerOf(kinds: readonly Kind[], options: Partial<RunnerOptions> = {}): JobRunner {
  const runner = startRunner({
    store: memoryStore(),
    kinds,
    queues: { default: 4 },
    logger: silent,
    signals: false,
    strayErrors: 'ignore',
    pollMs: 20,
    ...options,
  })
  open.push(() => runner.stop())
  return runner
}

/** Resolves with the next event of that name. */
export function next<Name extends keyof JobEvents>(runner: JobRunner, name: Name): Promise<JobEvents[Name][0]> {
  return new Promise(resolve => {
    const told = (event: JobEvents[Name][0]): void => resolve(event)
    runner.events.once(name, told as Parameters<typeof runner.events.once<Name>>[1])
  })
}

/** The job when it is finished, however it ended. */
export async function finished(runner: JobRunner, enqueued: { readonly id: string }): Promise<Job> {
  await runner.result(enqueued.id).catch(() => {})
  const job = await runner.find(enqueued.id)
  if (job === undefined) throw new Error('the job is gone')
  return job
}

/** The threads that live in this process now. */
export const liveThreads = new Set<Worker>()
process.on('worker', worker => {
  liveThreads.add(worker)
  worker.once('exit', () => liveThreads.delete(worker))
})

/** The thread with that id. */
export function threadOf(id: unknown): Worker {
  for (const worker of liveThreads) if (worker.threadId === id) return worker
  throw new Error(`there is no thread ${String(id)}`)
}
