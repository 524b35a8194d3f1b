import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap, type Placed } from '../../../src/dispatchers/heap.ts'

interface Item extends Placed {
  rank: number
  readonly id: number
}

const precedes = (a: Item, b: Item): boolean => a.rank < b.rank || (a.rank === b.rank && a.id < b.id)

describe('Heap', () => {
  it('has nothing first while it is empty', () => {
    const heap = new Heap<Item>(precedes)
    expect([heap.size, heap.first]).toEqual([0, undefined])
    expect(heap.sorted()).toEqual([])
  })

  it('gives its items in the one order there is, whatever was pushed, moved and removed', () => {
    const step = fc.record({ what: fc.constantFrom('push', 'push', 'move', 'remove'), rank: fc.nat(20), which: fc.nat(99) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
        const heap = new Heap<Item>(precedes)
        const items: Item[] = []
        for (const [id, { what, rank, which }] of steps.entries()) {
          const item = items[which % Math.max(1, items.length)]
          if (what === 'push' || item === undefined) {
            const pushed = { rank, id, place: 0 }
            items.push(pushed)
            heap.push(pushed)
          } else if (what === 'move') {
            item.rank = rank
            heap.moved(item)
          } else {
            items.splice(items.indexOf(item), 1)
            heap.remove(item)
          }
          const sorted = items.toSorted((a, b) => (precedes(a, b) ? -1 : 1))
          expect(heap.first).toBe(sorted[0])
          expect(heap.sorted()).toEqual(sorted)
        }
      }),
    )
  })
})
