import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap, type Placed } from '../../src/stores/memory/heap.ts'

interface Item extends Placed {
  readonly rank: number
  readonly id: number
}

const precedes = (a: Item, b: Item): boolean => a.rank < b.rank || (a.rank === b.rank && a.id < b.id)

describe('Heap', () => {
  it('JOB-12 has the one that precedes all others first, whatever was pushed and removed', () => {
    const step = fc.record({ removes: fc.constantFrom(false, false, true), rank: fc.nat(20), which: fc.nat(99) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), steps => {
        const heap = new Heap<Item>(precedes)
        const items: Item[] = []
        for (const [id, { removes, rank, which }] of steps.entries()) {
          const item = items[which % Math.max(1, items.length)]
          if (removes && item !== undefined) {
            items.splice(items.indexOf(item), 1)
            heap.remove(item)
          } else {
            const pushed = { rank, id, place: 0 }
            items.push(pushed)
            heap.push(pushed)
          }
          const sorted = items.toSorted((a, b) => (precedes(a, b) ? -1 : 1))
          expect([heap.size, heap.first]).toEqual([items.length, sorted[0]])
          expect([...heap.values()].toSorted((a, b) => (precedes(a, b) ? -1 : 1))).toEqual(sorted)
        }
        for (const wanted of items.toSorted((a, b) => (precedes(a, b) ? -1 : 1))) {
          expect(heap.first).toBe(wanted)
          heap.remove(wanted)
        }
        expect(heap.first).toBe(undefined)
      }),
      { seed: 12, numRuns: 300 },
    )
  })
})
