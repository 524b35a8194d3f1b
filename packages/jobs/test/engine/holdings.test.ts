import { describe, expect, it } from 'vitest'
import type { EngineContext } from '../../src/engine/engine-context.ts'
import { Holdings } from '../../src/engine/holdings.ts'
import type { Held, Settlement } from '../../src/store.ts'

/** Holdings of a runner whose store believes it to hold `held`, and that knows of `known`. */
function holdings(held: Held[], known: number[], onAnswer: () => void = () => {}) {
  const released: number[] = []
  const store = {
    holdings: async () => {
      const answer = [...held]
      onAnswer()
      return answer
    },
    settle: async (settlements: readonly Settlement[]) => {
      for (const { token } of settlements) {
        released.push(token)
        held.splice(
          held.findIndex(each => each.token === token),
          1,
        )
      }
      return { accepted: settlements.map(() => true) }
    },
  }
  const engine = { store, runner: 'r' } as unknown as EngineContext
  return {
    released,
    looking: new Holdings(
      engine,
      () => new Set(known),
      () => [],
    ),
  }
}

describe('holdings', () => {
  it('F3 gives back a claim that nobody knows of, at the second look', async () => {
    const { looking, released } = holdings([{ seq: 1, token: 10 }], [])
    looking.doubt()
    await looking.look()
    expect(released).toEqual([])
    await looking.look()
    expect(released).toEqual([10])
  })

  it('F3 JOB-1 gives back the second claim of a job whose first one is known: its end is still to be written', async () => {
    const { looking, released } = holdings([{ seq: 5, token: 4 }], [2])
    looking.doubt()
    await looking.look()
    await looking.look()
    expect(released).toEqual([4])
  })

  it('F3 JOB-1 a doubt that comes while the store answers is not forgotten', async () => {
    const held: Held[] = []
    let answers = 0
    const { looking, released } = holdings(held, [], () => {
      if (answers++ > 0) return
      held.push({ seq: 1, token: 10 })
      looking.doubt()
    })
    looking.doubt()
    for (let look = 0; look < 3; look++) await looking.look()
    expect(released).toEqual([10])
  })
})
