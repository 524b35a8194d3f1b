import { producerConsumer } from '@genstage/core'
import type { AnySubscription, Ended, Subscription } from '@genstage/core'
import type { Found, Root } from './numbers.ts'

/** A root, and how it was had. */
export interface Worked extends Root {
  readonly worker: string
  /** The same number had come before. */
  readonly isRemembered: boolean
}

export interface WorkerOptions {
  /** Takes a root; slow. */
  readonly process: (number: number) => Promise<number>
  /** How many stages want its roots. */
  readonly readers: number
  /** How many numbers it may have before it. It is slow: more would only wait here, and not with a worker that has time. */
  readonly atOnce: number
}

/**
 * Takes roots, one after the other, and remembers them.
 *
 * A broadcast reaches whoever is there. So this one asks by hand, and only while all of its readers are there: none of them misses
 * a root because it came later, or because it is being started again.
 */
export const Worker = producerConsumer(({ process, readers, atOnce }: WorkerOptions, ctx) => {
  const known = new Map<number, number>()
  let above: Subscription | undefined
  let below = 0
  /** Asked for, and not done. */
  let open = 0

  function ask() {
    if (!above || below < readers) return
    above.ask(atOnce - open)
    open = atOnce
  }

  async function work(found: Found): Promise<Worked> {
    const remembered = known.get(found.number)
    const root = remembered ?? (await process(found.number))
    known.set(found.number, root)
    return { ...found, root, worker: ctx.name ?? ctx.self.id, isRemembered: remembered !== undefined }
  }

  return {
    handleSubscribe(from: AnySubscription) {
      if (from.role === 'consumer') below++
      else {
        above = from
        open = 0
      }
      ask()
      return from.role === 'producer' ? 'manual' : undefined
    },
    handleCancel(_ended: Ended, from: AnySubscription) {
      if (from.role === 'consumer') below--
      else above = undefined
    },
    async handleEvents(numbers: readonly Found[], from: Subscription) {
      const roots: Worked[] = []
      for (const found of numbers) roots.push(await work(found))
      if (from === above) open -= numbers.length
      ask()
      return roots
    },
  }
})
