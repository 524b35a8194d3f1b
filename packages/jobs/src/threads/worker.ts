/**
 * `@genstage/jobs/threads-worker`: what a thread of a pool runs for each call. It is nothing to import.
 *
 * It loads the module, once for each thread, calls the function, and says through the port how that ended.
 */
import { receiveMessageOnPort } from 'node:worker_threads'
import { badOption, suggestion } from '@genstage/core/adapters'
import { isOutcome } from '../outcome.ts'
import { encodePayload } from '../payload.ts'
import { ThreadJob } from './thread-job.ts'
import type { FromThread, Opening, ThreadContext, ThreadEnd, ThreadTask } from './thread-words.ts'
import { wireOutcome, wireThrown } from './wire.ts'

/** Called by piscina. It never rejects. */
export async function runInThread({ port }: ThreadTask): Promise<void> {
  const opening = receiveMessageOnPort(port)?.message as Opening
  const job = new ThreadJob(port, opening.job)
  const end = await call(opening, job.context)
  job.end()
  port.postMessage(end satisfies FromThread, [])
}

async function call(opening: Opening, context: ThreadContext): Promise<ThreadEnd> {
  try {
    const handler = await load(opening)
    const value: unknown = await handler(opening.args, context)
    return isOutcome(value) ? { type: 'decided', outcome: wireOutcome(value) } : returned(value)
  } catch (error) {
    return { type: 'threw', thrown: wireThrown(error) }
  }
}

/** As JSON, because a copy of an instance of a class is no instance any more, and would not be refused where it should be. */
function returned(value: unknown): ThreadEnd {
  try {
    return { type: 'returned', result: value === undefined ? undefined : encodePayload(value, 'result') }
  } catch (error) {
    if (isRefusedAsCopy(value)) return { type: 'copied', result: value }
    throw error
  }
}

/** Whether a copy of it is what JSON cannot carry, as it is itself: the other side can be left to refuse it. */
function isRefusedAsCopy(value: unknown): boolean {
  let copy: unknown
  try {
    copy = structuredClone(value)
  } catch {
    return false
  }
  try {
    encodePayload(copy, 'result')
    return false
  } catch {
    return true
  }
}

type Loaded = (args: unknown, context: ThreadContext) => unknown

async function load({ module, export: name }: Opening): Promise<Loaded> {
  const exports = (await import(module)) as Readonly<Record<string, unknown>>
  // What Node makes of a CommonJS module may have its exports below `default` only
  for (const place of [exports, exports['default']]) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) continue
    const found: unknown = Reflect.get(place, name)
    if (typeof found === 'function') return found as Loaded
  }
  const known = Object.keys(exports)
  const allowed = `the name of a function that ${module} exports${suggestion(name, known)}`
  throw badOption('inThread', 'export', name, allowed)
}
