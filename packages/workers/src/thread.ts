/**
 * `@genstage/workers/thread`: the program of a thread that `onThread` begins. It is nothing to import.
 *
 * It loads the module of the stage, starts the stage on this thread (thread/thread-stage.ts), and ends the thread with it.
 */
import process from 'node:process'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Opening, ToThread } from './messages.ts'
import { load } from './thread/load.ts'
import { type Post, ThreadStage } from './thread/thread-stage.ts'
import { wireError, wireReason } from './wire.ts'

async function run(port: MessagePort, opening: Opening): Promise<void> {
  const post: Post = (message, transfer = []) => port.postMessage(message, transfer)
  process.on('uncaughtExceptionMonitor', error => post({ type: 'uncaught', error: wireError(error) }))
  let stage: ThreadStage
  try {
    stage = new ThreadStage(post, opening, await load(opening))
  } catch (error) {
    post({ type: 'exited', reason: wireReason({ type: 'error', error }), asked: false })
    return process.exit()
  }
  port.on('message', (message: ToThread) => stage.take(message))
  port.on('messageerror', error => {
    throw error
  })
  await stage.ended()
  // Whatever the module has left open, a server or a timer, ends with the stage
  process.exit()
}

function isOpening(data: unknown): data is Opening {
  return typeof data === 'object' && data !== null && 'genstage' in data && data.genstage === 'stage on a thread'
}

if (parentPort !== null && isOpening(workerData)) void run(parentPort, workerData)
