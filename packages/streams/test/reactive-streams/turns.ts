/** Who waits for a turn of the event loop. */
const waiting: (() => void)[] = []

const channel = 'setImmediate' in globalThis ? undefined : turnChannel()

function turnChannel(): MessageChannel {
  const made = new MessageChannel()
  made.port1.onmessage = () => waiting.shift()?.()
  return made
}

/** One whole turn: all promises that can settle have settled. A timer would take 4 ms in browsers. */
export function promiseTurns(): Promise<void> {
  return new Promise(resolve => {
    if (channel === undefined) (globalThis as unknown as { setImmediate(callback: () => void): void }).setImmediate(resolve)
    else {
      waiting.push(resolve)
      channel.port2.postMessage(undefined)
    }
  })
}
