import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Buffer, type Stored, type Taken } from '../../src/buffer.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

interface Item {
  readonly event: number
  readonly infos: string[]
}

/** The simple model of GS-B12: a list of events, each with the infos that follow it. */
class Model {
  #items: Item[] = []
  readonly #size: number
  readonly #keep: 'first' | 'last'

  constructor(size: number, keep: 'first' | 'last') {
    this.#size = size
    this.#keep = keep
  }

  get length(): number {
    return this.#items.length
  }

  store(events: readonly number[]): Stored {
    const all = [...this.#items, ...events.map(event => ({ event, infos: [] }))]
    const over = Math.max(0, all.length - this.#size)
    const lost = this.#keep === 'last' ? all.slice(0, over) : all.slice(all.length - over)
    this.#items = this.#keep === 'last' ? all.slice(over) : all.slice(0, all.length - over)
    return { discarded: lost.map(item => item.event), infos: lost.flatMap(item => item.infos) }
  }

  attach(info: string): boolean {
    this.#items.at(-1)?.infos.push(info)
    return this.#items.length > 0
  }

  take(count: number): Taken {
    const stop = this.#items.findIndex(item => item.infos.length > 0)
    const taken = this.#items.splice(0, stop < 0 ? count : Math.min(count, stop + 1))
    return { events: taken.map(item => item.event), infos: taken.flatMap(item => item.infos) }
  }

  giveBack(events: readonly number[], infos: readonly string[]): void {
    const items: Item[] = events.map(event => ({ event, infos: [] }))
    items.at(-1)?.infos.push(...infos)
    this.#items.unshift(...items)
  }
}

type Operation =
  | { readonly type: 'store'; readonly count: number }
  | { readonly type: 'attach' }
  | { readonly type: 'take'; readonly count: number; readonly back: number }

const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('store' as const), count: fc.nat(8) }),
    fc.record({ type: fc.constant('attach' as const) }),
    fc.record({ type: fc.constant('take' as const), count: fc.nat(10), back: fc.nat(4) }),
  ),
  { maxLength: 60, size: 'max' },
)

const sizes = fc.constantFrom(0, 1, 2, 3, 5, 9, Infinity)
const keeps = fc.constantFrom<'first' | 'last'>('first', 'last')

describe('Buffer', () => {
  it('GS-B12 GS-B1 X9 X19 is a list of events with the infos that follow them, for every size and both ends kept', () => {
    fc.assert(
      fc.property(sizes, keeps, operations, (size, keep, script) => {
        const buffer = new Buffer(size, keep)
        const model = new Model(size, keep)
        let next = 0
        for (const operation of script) {
          if (operation.type === 'store') {
            const events = Array.from({ length: operation.count }, () => next++)
            expect(buffer.store(events)).toEqual(model.store(events))
          } else if (operation.type === 'attach') {
            const info = `info ${next++}`
            expect(buffer.attach(info)).toBe(model.attach(info))
          } else {
            const taken = model.take(operation.count)
            expect(buffer.take(operation.count)).toEqual(taken)
            const back = taken.events.slice(taken.events.length - operation.back) as readonly number[]
            if (back.length > 0) {
              buffer.giveBack(back, taken.infos)
              model.giveBack(back, taken.infos as readonly string[])
            }
          }
          expect(buffer.length).toBe(model.length)
          expect(buffer.length).toBeLessThanOrEqual(size)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('U2 U9 loses no event and no info unseen, and keeps each info between what came before and after it', () => {
    fc.assert(
      fc.property(sizes, keeps, operations, (size, keep, script) => {
        const buffer = new Buffer(size, keep)
        const out: (number | string)[] = []
        const discarded = new Set<unknown>()
        const stored: (number | string)[] = []
        const keepUp = ({ events, infos }: Taken): void => void out.push(...(events as number[]), ...(infos as string[]))
        let next = 0
        for (const operation of script) {
          if (operation.type === 'store') {
            const events = Array.from({ length: operation.count }, () => next++)
            stored.push(...events)
            const outcome = buffer.store(events)
            for (const event of outcome.discarded) discarded.add(event)
            out.push(...(outcome.infos as string[]))
          } else if (operation.type === 'attach') {
            const info = `info ${next++}`
            stored.push(info)
            if (!buffer.attach(info)) out.push(info)
          } else keepUp(buffer.take(operation.count))
        }
        while (buffer.length > 0) keepUp(buffer.take(buffer.length))
        expect(out).toEqual(stored.filter(item => !discarded.has(item)))
      }),
      { numRuns: 500 },
    )
  })
})
