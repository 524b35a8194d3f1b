/** What the fault runs let threads do (F14). */
import { threadId } from 'node:worker_threads'
import type { ThreadContext } from '../../src/threads/index.ts'

/** What a thread dies of. `terminate`: it is ended from outside, when it has told its number. */
export const deaths = ['exit', 'throw', 'reject', 'heap', 'terminate'] as const
export type Death = (typeof deaths)[number]

/** Ends its thread in the first attempt. */
export function mortal({ how }: { readonly how: Death }, { attempt, progress }: ThreadContext): Promise<void> | void {
  if (attempt > 1) return
  if (how === 'terminate') progress(threadId)
  if (how === 'exit') process.exit(3)
  if (how === 'throw')
    setImmediate(() => {
      throw new RangeError('thrown in a timer')
    })
  if (how === 'reject') void Promise.reject(new RangeError('nobody awaits it'))
  if (how === 'heap') fillMemory()
  return new Promise(() => {})
}

function fillMemory(): never {
  const hoard: unknown[] = []
  for (;;) hoard.push(Array.from({ length: 1_000 }, (_, n) => ({ n })))
}

/** Ends when so many of a party run at the same time, each on a thread of its own. */
export function meet({ party, of }: { readonly party: string; readonly of: number }): Promise<void> {
  const channel = new BroadcastChannel(party)
  const met = new Set([threadId])
  return new Promise(resolve => {
    // Again and again, for those who come later; and once more when all are here, for those who have not heard of it
    const calling = setInterval(() => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no origin
      channel.postMessage(threadId)
      if (met.size < of) return
      clearInterval(calling)
      channel.close()
      resolve()
    }, 5)
    channel.onmessage = ({ data }: { readonly data: unknown }) => void met.add(Number(data))
  })
}
