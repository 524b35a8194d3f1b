import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { broadcastDispatcher } from '../../../src/dispatchers/broadcast.ts'
import { operations, operationsOfStayers, pick } from '../support/operations.ts'
import { broadcastPicture } from '../support/pictures.ts'
import { type Delivered, Rig } from '../support/rig.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

interface Entry {
  readonly name: string
  readonly selector: ((event: number) => boolean) | undefined
  credit: number
}

/** GS-W2 to GS-W8 word by word, with credits; `requested` as X2 has it. */
class Model {
  list: Entry[] = []
  waiting = 0
  requested = 0

  subscribe(name: string, selector: Entry['selector']): number {
    for (const entry of this.list) entry.credit += this.waiting
    this.list.unshift({ name, selector, credit: 0 })
    this.waiting = 0
    return 0
  }

  ask(name: string, n: number): number {
    const entry = this.list.find(each => each.name === name)
    if (entry === undefined) throw new Error(`no ${name}`)
    entry.credit += n
    return this.#sync()
  }

  cancel(name: string): number {
    this.list = this.list.filter(each => each.name !== name)
    if (this.list.length > 0) return this.#sync()
    this.waiting = 0
    return 0
  }

  dispatch(events: readonly number[]): {
    readonly leftover: readonly number[]
    readonly delivered: readonly Delivered[]
    readonly asks: readonly unknown[]
  } {
    const taken = events.slice(0, this.waiting)
    this.waiting -= taken.length
    this.requested = Math.max(0, this.requested - events.length)
    const delivered: Delivered[] = []
    const asks: unknown[] = []
    for (const { name, selector } of this.list) {
      const selected = selector === undefined ? taken : taken.filter(selector)
      if (selected.length > 0) delivered.push([name, selected])
      if (selected.length < taken.length) asks.push([name, taken.length - selected.length])
    }
    return { leftover: events.slice(taken.length), delivered, asks }
  }

  #sync(): number {
    const smallest = Math.max(0, Math.min(...this.list.map(entry => entry.credit)))
    for (const entry of this.list) entry.credit -= smallest
    this.waiting += smallest
    const up = Math.max(0, this.waiting - this.requested)
    this.requested += up
    return up
  }
}

const selectors: readonly Entry['selector'][] = [
  undefined,
  undefined,
  event => event % 2 === 0,
  event => event % 5 !== 0,
  () => false,
]

const byName = <T extends readonly unknown[]>(list: readonly T[]): readonly T[] =>
  list.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))

describe('broadcastDispatcher', () => {
  it('U11 U6 GS-W2 GS-W3 GS-W4 X2 GS-W6 GS-W7 X8 GS-W8 GS-W9 does what a list of credits does, whatever happens to it', () => {
    fc.assert(
      fc.property(operations, script => {
        const rig = new Rig(broadcastDispatcher())
        const model = new Model()
        const names = (): readonly string[] => model.list.map(entry => entry.name).toSorted()
        let next = 0
        for (const operation of script) {
          if (operation.type === 'info') rig.info(next)
          else if (operation.type === 'subscribe') {
            const name = `c${next++}`
            const selector = pick(selectors, operation.who)
            const options = selector === undefined ? {} : { selector: (event: unknown) => selector(event as number) }
            expect(rig.subscribe(name, options)).toBe(model.subscribe(name, selector))
            expect(() => rig.subscribe('again', {}, name)).toThrow('has a subscription here')
          } else if (operation.type === 'dispatch') {
            const events = Array.from({ length: operation.count }, () => next++)
            const { leftover, delivered, asks } = model.dispatch(events)
            expect(rig.dispatch(events)).toEqual(leftover)
            expect(byName(rig.delivered())).toEqual(byName(delivered))
            const refills = rig.asks()
            expect(byName(refills)).toEqual(byName(asks as readonly (readonly unknown[])[]))
            for (const [name, demand] of refills) expect(rig.ask(name, demand)).toBe(model.ask(name, demand))
          } else {
            const name = pick(names(), operation.who)
            if (name === undefined) continue
            if (operation.type === 'cancel') expect(rig.cancel(name)).toBe(model.cancel(name))
            else expect(rig.ask(name, operation.demand)).toBe(model.ask(name, operation.demand))
          }
          const { waiting, credits } = broadcastPicture(rig)
          expect([waiting, rig.allowance, rig.requested]).toEqual([model.waiting, model.waiting, model.requested])
          const expected = model.list.map(({ name, credit }) => [name, credit] as const)
          expect(byName(credits.map(each => [each.subscription, each.credit] as const))).toEqual(byName(expected))
          expect(rig.requested).toBeGreaterThanOrEqual(waiting)
          expect(waiting).toBeGreaterThanOrEqual(0)
          if (credits.length > 0) expect(Math.min(...credits.map(each => each.credit))).toBe(0)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('U5 GS-W5 asks upstream exactly what all have asked for together while nobody comes or leaves and no event is left over', () => {
    fc.assert(
      fc.property(operationsOfStayers, fc.integer({ min: 1, max: 5 }), (script, count) => {
        const rig = new Rig(broadcastDispatcher())
        const asked = Array.from({ length: count }, () => 0)
        let up = 0
        for (let index = 0; index < count; index++) up += rig.subscribe(String(index))
        for (const operation of script) {
          if (operation.type === 'ask') {
            const index = operation.who % count
            asked[index] = (asked[index] ?? 0) + operation.demand
            up += rig.ask(String(index), operation.demand)
          } else if (operation.type === 'dispatch') {
            const some = Math.min(operation.count, rig.allowance)
            if (some > 0) expect(rig.dispatch(Array.from({ length: some }, () => 'event'))).toEqual([])
          }
          expect(up).toBe(Math.min(...asked))
        }
      }),
      { numRuns: 300 },
    )
  })
})
