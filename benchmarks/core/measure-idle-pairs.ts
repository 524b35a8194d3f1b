import { setTimeout as sleep } from 'node:timers/promises'
import { collectGarbage, startStopwatch } from '../harness/stopwatch.ts'
import type { Peer } from './peer.ts'

export interface IdleFigures {
  readonly kind: 'idle'
  readonly processorUsEach: number
  readonly wallUsEach: number
  readonly heapBytesEach: number
}

/** So many pairs come and go first: that the code is loaded and compiled is not what is measured. */
const rehearsal = 100

/** WL-11: time and heap of subscribed pairs that never get an event. */
export async function measureIdlePairs(make: NonNullable<Peer['idlePairs']>, pairs: number): Promise<IdleFigures> {
  await make(rehearsal)
  const before = await liveHeap()
  const stopwatch = startStopwatch()
  const kept = await make(pairs)
  const { processorMs, wallMs } = stopwatch.read()
  const after = await liveHeap()
  // naming them here keeps them alive until the heap has been read
  if (kept === undefined) throw new Error('idle pairs must be answered, or they are collected before they are measured')
  return {
    kind: 'idle',
    processorUsEach: (processorMs * 1000) / pairs,
    wallUsEach: (wallMs * 1000) / pairs,
    heapBytesEach: (after - before) / pairs,
  }
}

/** Two collections with a turn of the event loop between them, for what is let go of by finalizers and promises. */
async function liveHeap(): Promise<number> {
  collectGarbage()
  await sleep(10)
  collectGarbage()
  return process.memoryUsage().heapUsed
}
