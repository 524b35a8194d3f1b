import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Buffer, type Stored, type Taken } from '../../src/buffer.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

interface Item {
  readonly event: number
  readonly infos: string[]
  /** Whether it came back: then it counts for no bound (X21). */
  readonly isBack: boolean
}

/** The simple model of GS-B12: a list of events, each with the infos that follow it; those that came back are its beginning. */
class Model {
  #items: Item[] = []
  #tookBack = false
  readonly #size: number
  readonly #keep: 'first' | 'last'

  constructor(size: number, keep: 'first' | 'last') {
    this.#size = size
    this.#keep = keep
  }

  get length(): number {
    return this.#items.length
  }

  /** How many of them came back. */
  get backLength(): number {
    return this.#items.filter(item => item.isBack).length
  }

  store(events: readonly number[]): Stored {
    const back = this.#items.filter(item => item.isBack)
    const others = [...this.#items.filter(item => !item.isBack), ...events.map(event => ({ event, infos: [], isBack: false }))]
    const over = Math.max(0, others.length - this.#size)
    const lost = this.#keep === 'last' ? others.slice(0, over) : others.slice(others.length - over)
    this.#items = [...back, ...(this.#keep === 'last' ? others.slice(over) : others.slice(0, others.length - over))]
    const infos = lost.flatMap(item => item.infos)
    // They are due when everything before them has left
    const before = back.at(-1)
    before?.infos.push(...infos)
    return { discarded: lost.map(item => item.event), infos: before === undefined ? infos : [] }
  }

  putBack(events: readonly number[]): void {
    this.#items.unshift(...events.map(event => ({ event, infos: [], isBack: true })))
  }

  attach(info: string): boolean {
    this.#items.at(-1)?.infos.push(info)
    return this.#items.length > 0
  }

  /** What came back is taken apart from what did not. */
  take(count: number): Taken {
    const isBack = this.#items[0]?.isBack
    const alike = this.#items.findIndex(item => item.isBack !== isBack)
    const stop = this.#items.findIndex(item => item.infos.length > 0)
    const ends = [count, ...(alike < 0 ? [] : [alike]), ...(stop < 0 ? [] : [stop + 1])]
    const taken = this.#items.splice(0, Math.min(...ends))
    this.#tookBack = isBack === true
    return { events: taken.map(item => item.event), infos: taken.flatMap(item => item.infos) }
  }

  giveBack(events: readonly number[], infos: readonly string[]): void {
    const isBack = this.#tookBack
    const items: Item[] = events.map(event => ({ event, infos: [], isBack }))
    items.at(-1)?.infos.push(...infos)
    this.#items.unshift(...items)
  }
}

type Operation =
  | { readonly type: 'store'; readonly count: number }
  | { readonly type: 'attach' }
  | { readonly type: 'take'; readonly count: number; readonly back: number }
  | { readonly type: 'putBack'; readonly count: number }

const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('store' as const), count: fc.nat(8) }),
    fc.record({ type: fc.constant('attach' as const) }),
    fc.record({ type: fc.constant('take' as const), count: fc.nat(10), back: fc.nat(4) }),
    fc.record({ type: fc.constant('putBack' as const), count: fc.nat(4) }),
  ),
  { maxLength: 60, size: 'max' },
)

const sizes = fc.constantFrom(0, 1, 2, 3, 5, 9, Infinity)
const keeps = fc.constantFrom<'first' | 'last'>('first', 'last')

describe('Buffer', () => {
  it('GS-B12 GS-B1 X9 X19 X21 is a list of events with the infos that follow them, for every size and both ends kept', () => {
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
          } else if (operation.type === 'putBack') {
            const events = Array.from({ length: operation.count }, () => next++)
            buffer.putBack(events)
            model.putBack(events)
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
          expect(buffer.length - model.backLength).toBeLessThanOrEqual(size)
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
          } else if (operation.type === 'take') keepUp(buffer.take(operation.count))
        }
        while (buffer.length > 0) keepUp(buffer.take(buffer.length))
        expect(out).toEqual(stored.filter(item => !discarded.has(item)))
      }),
      { numRuns: 500 },
    )
  })
})
