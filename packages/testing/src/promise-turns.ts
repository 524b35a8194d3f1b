/** Who waits for a turn, in browsers: several simulations may run side by side. */
const waiting: (() => void)[] = []

const channel = 'setImmediate' in globalThis ? undefined : turnChannel()

function turnChannel(): MessageChannel {
  const made = new MessageChannel()
  made.port1.onmessage = () => waiting.shift()?.()
  return made
}

/** Lets all promises that can settle settle: a whole turn of the event loop. */
export function promiseTurns(): Promise<void> {
  return new Promise(resolve => {
    if (channel === undefined) (globalThis as unknown as { setImmediate(callback: () => void): void }).setImmediate(resolve)
    else {
      waiting.push(resolve)
      channel.port2.postMessage(undefined)
    }
  })
}
