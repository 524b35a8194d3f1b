import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchQueue } from '../../src/batch-queue.ts'

describe('BatchQueue', () => {
  it('hands out a batch that is taken whole as it is', () => {
    const queue = new BatchQueue<number>()
    const batch = [1, 2, 3]
    queue.push(batch)
    queue.push([4])
    expect(queue.take(3)).toBe(batch)
    expect(queue.length).toBe(1)
  })

  it('cuts batches where a take ends, and joins them where it goes on, without changing them', () => {
    const queue = new BatchQueue<number>()
    const [first, second] = [Object.freeze([1, 2, 3]), Object.freeze([4, 5, 6])]
    queue.push(first)
    queue.push(second)
    expect(queue.take(2)).toEqual([1, 2])
    expect(queue.all()).toEqual([3, 4, 5, 6])
    expect(queue.take(2)).toEqual([3, 4])
    expect(queue.take(9)).toEqual([5, 6])
    expect(queue.take(1)).toEqual([])
    expect([first, second]).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  it('puts items in front of a batch that has been begun', () => {
    const queue = new BatchQueue<number>()
    queue.push([1, 2, 3])
    queue.take(1)
    queue.unshift([0, 1])
    expect(queue.length).toBe(4)
    expect(queue.take(4)).toEqual([0, 1, 2, 3])
  })

  it('keeps no empty batches', () => {
    const queue = new BatchQueue<number>()
    queue.push([])
    queue.unshift([])
    expect(queue.length).toBe(0)
    expect(queue.all()).toEqual([])
    expect(queue.take(1)).toEqual([])
    queue.push([1])
    expect(queue.take(1)).toEqual([1])
  })

  it('agrees with a list', () => {
    const operations = fc.array(
      fc.record({ type: fc.constantFrom('push', 'unshift', 'take'), count: fc.integer({ min: 0, max: 12 }) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(operations, list => {
        const queue = new BatchQueue<number>()
        let model: number[] = []
        let next = 0
        for (const { type, count } of list) {
          const items = Array.from({ length: count }, () => next++)
          if (type === 'push') {
            queue.push(items)
            model.push(...items)
          } else if (type === 'unshift') {
            queue.unshift(items)
            model = [...items, ...model]
          } else expect(queue.take(count)).toEqual(model.splice(0, count))
          expect(queue.length).toBe(model.length)
          expect(queue.all()).toEqual(model)
        }
      }),
      { seed: 20_261_122, numRuns: 1_000 },
    )
  })
})
