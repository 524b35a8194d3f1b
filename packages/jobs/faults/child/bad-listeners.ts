import type { Logger } from '@genstage/core'
import type { JobClient, JobEvents } from '../../src/index.ts'
import type { BadListeners } from './opening.ts'

const events: readonly (keyof JobEvents)[] = [
  'enqueued',
  'started',
  'completed',
  'failed',
  'progress',
  'idle',
  'rescued',
  'storeError',
  'queueAdded',
]

/** Listens to everything, and does what a listener must not (F43). */
export function listenBadly({ events: bus }: JobClient, how: BadListeners): void {
  for (const event of events) bus.on(event, () => misbehave(how))
}

/** A logger that does the same. */
export function badLogger(how: BadListeners): Logger {
  // An async function is a logger too, for TypeScript
  const log = (): unknown => misbehave(how)
  return { debug: log, info: log, warn: log, error: log }
}

function misbehave(how: BadListeners): unknown {
  switch (how) {
    case 'throw':
      throw new Error('a listener that throws')
    case 'reject':
      return Promise.reject(new Error('a listener that rejects'))
    case 'never settle':
      return new Promise(() => {})
    case 'are slow':
      return void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
  }
}
