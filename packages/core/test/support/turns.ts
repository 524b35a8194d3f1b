/** Turns of the event loop: how a test finds out that nothing more will happen. */
import type { Runtime } from '@genstage/core'

/** So many turns without any change mean that all is quiet. */
const quietTurns = 3

/** What becomes quiet at all has done so long before. */
const mostTurns = 5_000

/** Lets everything that is due now have its turn: by `setImmediate` on Node, by a message where that is missing. */
export const turn: () => Promise<void> =
  typeof setImmediate === 'function' ? () => new Promise(resolve => setImmediate(resolve)) : messageTurns()

function messageTurns(): () => Promise<void> {
  const waiting: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => waiting.shift()?.()
  return () =>
    new Promise(resolve => {
      waiting.push(resolve)
      port2.postMessage(undefined)
    })
}

/** Waits until the picture of the runtime stands still: nothing arrives, nothing is delivered, nothing starts or ends. */
export async function settle(runtime: Runtime): Promise<void> {
  let last = ''
  let quiet = 0
  for (let turns = 0; turns < mostTurns; turns++) {
    await turn()
    const now = picture(runtime)
    quiet = now === last ? quiet + 1 : 0
    if (quiet === quietTurns) return
    last = now
  }
  throw new Error(`the runtime is not quiet after ${mostTurns} turns`)
}

function picture(runtime: Runtime): string {
  const { stages, edges } = runtime.topology()
  return JSON.stringify([stages, edges.map(({ rate: _, ...edge }) => edge)])
}

/** A promise that resolves when the test says so. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}
