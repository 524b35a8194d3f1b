/** Stages on threads, as the tests start them. */
import type { Worker } from 'node:worker_threads'
import { createRuntime, type GenStageError, type Runtime } from '@genstage/core'
import { vi } from 'vitest'
import type { ThreadOptions } from '../../src/index.ts'
import { builtProgram, builtStages } from './built.ts'
import type * as stages from './stages.ts'

vi.doMock('../../src/thread-program.ts', () => ({ program: builtProgram }))
/** `onThread`, whose threads begin fast. */
export const { onThread } = await import('../../src/index.ts')

type Stages = typeof stages
type Name = 'Double' extends keyof Stages ? Exclude<keyof Stages, 'notADefinition'> : never

/** The definition of a stage of the tests, to run on a thread. */
export function threaded<N extends Name>(
  name: N,
  options: ThreadOptions & { readonly type?: 'consumer' } = {},
  module: URL = builtStages,
): Stages[N] {
  const threadedAs = onThread as unknown as (module: URL, options: object) => Stages[N]
  return threadedAs(module, { export: name, ...options })
}

/** The threads that live in this process now. */
export const liveThreads = new Set<Worker>()
process.on('worker', worker => {
  liveThreads.add(worker)
  worker.once('exit', () => liveThreads.delete(worker))
})

/** Resolves when all threads are gone. */
export async function threadsGone(): Promise<void> {
  for (const worker of liveThreads) await new Promise(resolve => worker.once('exit', resolve))
}

export interface Line {
  readonly level: string
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** A runtime that keeps its log, and the failures that nobody watched. */
export interface Recorded {
  readonly runtime: Runtime
  readonly lines: Line[]
  readonly uncaught: GenStageError[]
}

export function recordedRuntime(): Recorded {
  const lines: Line[] = []
  const uncaught: GenStageError[] = []
  const write = (level: string) => (text: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ level, text, fields })
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return { runtime: createRuntime({ logger, onUncaught: error => uncaught.push(error) }), lines, uncaught }
}

/** All that a source of events gives, until it ends well. */
export async function allOf<T>(events: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const event of events) all.push(event)
  return all
}
