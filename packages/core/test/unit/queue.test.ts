import { describe, expect, it } from 'vitest'
import { Queue } from '../../src/queue.ts'

function queueOf<T>(...items: readonly T[]): Queue<T> {
  const queue = new Queue<T>()
  for (const item of items) queue.push(item)
  return queue
}

function drain<T>(queue: Queue<T>): readonly T[] {
  return queue.take(queue.length)
}

describe('Queue', () => {
  it('gives its items in the order in which they came', () => {
    const queue = queueOf('a', 'b', 'c')
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual(['a', 'b', 'c', undefined])
    expect(queue.length).toBe(0)
  })

  it('answers undefined when nothing was ever pushed', () => {
    const queue = new Queue<number>()
    expect(queue.shift()).toBeUndefined()
    expect(queue.at(0)).toBeUndefined()
    expect(queue.take(3)).toEqual([])
    expect(queue.length).toBe(0)
  })

  it('puts an item in front of all others, also in an empty queue', () => {
    const queue = new Queue<number>()
    queue.unshift(2)
    queue.unshift(1)
    queue.push(3)
    expect(drain(queue)).toEqual([1, 2, 3])
  })

  it('shows the item at a distance without taking it', () => {
    const queue = queueOf(10, 20, 30)
    expect([queue.at(0), queue.at(2), queue.at(3)]).toEqual([10, 30, undefined])
    expect(queue.length).toBe(3)
  })

  it('does not show an item that was taken', () => {
    const queue = queueOf(1, 2)
    queue.shift()
    expect([queue.at(0), queue.at(1)]).toEqual([2, undefined])
  })

  it('takes what there is when more is wanted', () => {
    const queue = queueOf(1, 2, 3)
    expect(queue.take(2)).toEqual([1, 2])
    expect(queue.take(5)).toEqual([3])
    expect(queue.take(Infinity)).toEqual([])
  })

  it('takes nothing for a count of 0', () => {
    const queue = queueOf(1)
    expect(queue.take(0)).toEqual([])
    expect(queue.length).toBe(1)
  })

  it('keeps undefined as an item like any other', () => {
    const queue = queueOf(undefined, 1)
    expect(queue.length).toBe(2)
    expect(queue.shift()).toBeUndefined()
    expect(queue.shift()).toBe(1)
  })

  it('keeps the order when it grows while its items wrap around', () => {
    const queue = queueOf(0, 1, 2, 3)
    queue.shift()
    queue.shift()
    for (let item = 4; item < 20; item++) queue.push(item)
    expect(drain(queue)).toEqual(Array.from({ length: 18 }, (_, index) => index + 2))
  })

  it('keeps the order when items put in front make it grow', () => {
    const queue = queueOf(5, 6, 7, 8)
    for (let item = 4; item >= 0; item--) queue.unshift(item)
    expect(drain(queue)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('works on after it was emptied above the size at which it gives its memory back', () => {
    const queue = new Queue<number>()
    for (let round = 0; round < 2; round++) {
      for (let item = 0; item < 5_000; item++) queue.push(item)
      expect(drain(queue)).toHaveLength(5_000)
      expect(queue.length).toBe(0)
      expect(queue.at(0)).toBeUndefined()
      queue.unshift(1)
      queue.push(2)
      expect(drain(queue)).toEqual([1, 2])
    }
  })
})
