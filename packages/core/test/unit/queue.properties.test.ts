import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Queue } from '../../src/queue.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

type Operation =
  | { readonly type: 'push' | 'unshift'; readonly count: number }
  | { readonly type: 'shift' }
  | { readonly type: 'take'; readonly count: number }
  | { readonly type: 'at'; readonly distance: number }

const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('push' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ type: fc.constant('unshift' as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ type: fc.constant('shift' as const) }),
    fc.record({ type: fc.constant('take' as const), count: fc.nat(50) }),
    fc.record({ type: fc.constant('at' as const), distance: fc.nat(60) }),
  ),
  { maxLength: 60, size: 'max' },
)

/** Does the same to the queue and to an array; answers what each of them said. */
function perform(operation: Operation, queue: Queue<number>, array: number[], next: () => number): readonly [unknown, unknown] {
  switch (operation.type) {
    case 'push':
    case 'unshift':
      for (let index = 0; index < operation.count; index++) {
        const item = next()
        queue[operation.type](item)
        array[operation.type](item)
      }
      return [undefined, undefined]
    case 'shift':
      return [queue.shift(), array.shift()]
    case 'take':
      return [queue.take(operation.count), array.splice(0, operation.count)]
    case 'at':
      return [queue.at(operation.distance), array[operation.distance]]
  }
}

describe('Queue', () => {
  it('does what an array does, whatever is done to it', () => {
    fc.assert(
      fc.property(operations, script => {
        const queue = new Queue<number>()
        const array: number[] = []
        let item = 0
        for (const operation of script) {
          const [actual, expected] = perform(operation, queue, array, () => item++)
          expect(actual).toEqual(expected)
          expect(queue.length).toBe(array.length)
        }
        expect(queue.take(queue.length)).toEqual(array)
      }),
      { numRuns: 500 },
    )
  })
})
