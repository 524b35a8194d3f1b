import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { demandDispatcher } from '../../../src/dispatchers/demand.ts'
import { operations, operationsOfStayers, pick } from '../support/operations.ts'
import { demandPicture } from '../support/pictures.ts'
import { type Delivered, Rig } from '../support/rig.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

interface Entry {
  readonly name: string
  demand: number
}

/** GS-D2 to GS-D7 word by word: a sorted list and what is pending. */
class Model {
  list: Entry[] = []
  pending = 0

  subscribe(name: string): number {
    this.list.push({ name, demand: 0 })
    return 0
  }

  ask(name: string, n: number): number {
    const entry = this.#remove(name)
    entry.demand += n
    this.#insert(entry)
    const covered = Math.min(this.pending, n)
    this.pending -= covered
    return n - covered
  }

  cancel(name: string): number {
    this.pending += this.#remove(name).demand
    return 0
  }

  dispatch(events: readonly number[]): { readonly delivered: readonly Delivered[]; readonly leftover: readonly number[] } {
    const delivered: Delivered[] = []
    let rest = events
    for (let head = this.list[0]; head !== undefined && head.demand > 0 && rest.length > 0; head = this.list[0]) {
      const count = Math.min(head.demand, rest.length)
      delivered.push([head.name, rest.slice(0, count)])
      rest = rest.slice(count)
      this.list.shift()
      head.demand -= count
      this.#insert(head)
    }
    this.pending = Math.max(0, this.pending - rest.length)
    return { delivered, leftover: rest }
  }

  #insert(entry: Entry): void {
    const smaller = this.list.findIndex(other => other.demand < entry.demand)
    this.list.splice(smaller < 0 ? this.list.length : smaller, 0, entry)
  }

  #remove(name: string): Entry {
    const index = this.list.findIndex(entry => entry.name === name)
    const [entry] = this.list.splice(index, 1)
    if (entry === undefined) throw new Error(`no ${name}`)
    return entry
  }
}

describe('demandDispatcher', () => {
  it('U11 U6 GS-D2 GS-D3 GS-D4 GS-D5 GS-D6 GS-D7 does what a sorted list does, whatever happens to it', () => {
    fc.assert(
      fc.property(operations, script => {
        const rig = new Rig(demandDispatcher({ maxDemand: 1_000 }))
        const model = new Model()
        const names = (): readonly string[] => model.list.map(entry => entry.name).toSorted()
        let next = 0
        for (const operation of script) {
          if (operation.type === 'info') rig.info(next)
          else if (operation.type === 'subscribe') {
            const name = `c${next++}`
            expect(rig.subscribe(name)).toBe(model.subscribe(name))
          } else if (operation.type === 'dispatch') {
            const events = Array.from({ length: operation.count }, () => next++)
            const { delivered, leftover } = model.dispatch(events)
            expect(rig.dispatch(events)).toEqual(leftover)
            expect(rig.delivered()).toEqual(delivered)
          } else {
            const name = pick(names(), operation.who)
            if (name === undefined) continue
            if (operation.type === 'cancel') expect(rig.cancel(name)).toBe(model.cancel(name))
            else expect(rig.ask(name, operation.demand)).toBe(model.ask(name, operation.demand))
          }
          const { demands } = demandPicture(rig)
          expect(demands.map(({ subscription, demand }) => ({ name: subscription, demand }))).toEqual(model.list)
          expect(demands).toEqual(demands.toSorted((a, b) => b.demand - a.demand))
          expect(rig.allowance).toBe(model.list.reduce((sum, entry) => sum + entry.demand, 0))
          expect(rig.pending).toBe(model.pending)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('U5 asks upstream exactly what it was asked while nobody leaves and no event is left over', () => {
    fc.assert(
      fc.property(operationsOfStayers, script => {
        const rig = new Rig(demandDispatcher({ maxDemand: 1_000 }))
        const names: string[] = []
        let asked = 0
        let up = 0
        for (const operation of script) {
          if (operation.type === 'subscribe') {
            const name = `c${names.length}`
            names.push(name)
            up += rig.subscribe(name)
          } else if (operation.type === 'ask') {
            const name = pick(names, operation.who)
            if (name === undefined) continue
            asked += operation.demand
            up += rig.ask(name, operation.demand)
          } else if (operation.type === 'dispatch') {
            const count = Math.min(operation.count, rig.allowance)
            if (count > 0) expect(rig.dispatch(Array.from({ length: count }, () => 'event'))).toEqual([])
          }
          expect(up).toBe(asked)
          expect(rig.pending).toBe(0)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('U1 U2 GS-D8 gives everybody no more than was asked, and every event once, when the first dispatch is shuffled', () => {
    const demands = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(
        demands,
        fc.integer({ min: 1, max: 60 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (asks, count, chance) => {
          const rig = new Rig(demandDispatcher({ shuffleDemandsOnFirstDispatch: true, maxDemand: 100 }), {
            random: () => chance.next().value,
          })
          asks.forEach((demand, index) => {
            rig.subscribe(String(index))
            if (demand > 0) rig.ask(String(index), demand)
          })
          const events = Array.from({ length: count }, (_, index) => index)
          const leftover = rig.dispatch(events)
          const delivered = rig.delivered()
          expect([...delivered.flatMap(([, batch]) => batch), ...leftover]).toEqual(events)
          for (const [to, batch] of delivered) expect(batch.length).toBeLessThanOrEqual(asks[Number(to)] ?? 0)
          if (leftover.length > 0) expect(rig.allowance).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})
