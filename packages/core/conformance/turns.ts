/** Turns of the event loop: how the runner finds out that nothing more will happen. */
import type { Patience } from './patience.ts'

const waiting: (() => void)[] = []

/** Lets everything that is due now have its turn: by `setImmediate` on Node, by a message where that is missing. */
const turn: () => Promise<void> =
  typeof setImmediate === 'function' ? () => new Promise(resolve => setImmediate(resolve)) : messageTurns()

function messageTurns(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => waiting.shift()?.()
  return () =>
    new Promise(resolve => {
      waiting.push(resolve)
      port2.postMessage(undefined)
    })
}

/** Waits at least one turn for the promise, as long as the patience lasts; tells whether it has settled. */
export async function settlesWithin(patience: Patience, promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  while (patience.lasts()) {
    await turn()
    if (settled) return true
  }
  return false
}
