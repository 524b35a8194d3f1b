import { consumer, producer, start } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, type ExploreOptions, replay, type Scene } from '../src/index.ts'

/** A source of numbers and `consumers` that take one at a time; one of them cancels. What each saw goes to `outcomes`. */
function race(consumers: number, limit: number, outcomes: Set<string>): Scene {
  return ({ runtime }) => {
    let next = 0
    const Source = producer(() => ({
      handleDemand: demand => Array.from({ length: Math.min(demand, limit - next) }, () => next++),
    }))
    const seen: number[][] = []
    const source = start(Source, { runtime })
    const subscriptions = Array.from({ length: consumers }, (_, index) => {
      const own: number[] = []
      seen[index] = own
      const Sink = consumer(() => ({ handleEvents: (events: readonly number[]) => void own.push(...events) }))
      return start(Sink, { runtime }).subscribe({ to: source, maxDemand: 1, cancel: 'temporary' })
    })
    return {
      actions: [() => subscriptions[0]?.cancel()],
      end: () => {
        outcomes.add(seen.map(events => events.join('+')).join(' '))
        return []
      },
    }
  }
}

/** What a stage does with the first messages it gets, one after the other. */
type Reaction =
  'tell the next' | 'tell itself' | 'tell all' | 'wait' | 'sleep' | 'look at the clock' | 'start' | 'stop' | 'ignore'

const reaction = fc.constantFrom<Reaction>(
  'tell the next',
  'tell itself',
  'tell all',
  'wait',
  'sleep',
  'look at the clock',
  'start',
  'stop',
  'ignore',
)
const gossips = fc.array(fc.array(reaction, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 })

/** Stages that react to messages as planned. What each heard goes to `outcomes`. */
function gossip(plan: readonly (readonly Reaction[])[], outcomes: Set<string>): Scene {
  return simulation => {
    const { runtime } = simulation
    const heard = plan.map((): string[] => [])
    const refs: { cast(message: string): void }[] = []
    const Gossip = consumer((index: number, ctx) => {
      const reactions = [...(plan[index] ?? [])]
      return {
        handleEvents() {},
        handleInfo(message: string) {
          heard[index]?.push(message)
        },
        handleCast(message: string): undefined | Promise<undefined> {
          heard[index]?.push(message)
          const saying = `${message}${index}`
          switch (reactions.shift() ?? 'ignore') {
            case 'tell the next':
              refs[(index + 1) % refs.length]?.cast(saying)
              break
            case 'tell itself':
              refs[index]?.cast(saying)
              break
            case 'tell all':
              for (const ref of refs) ref.cast(saying)
              break
            case 'wait':
              return Promise.resolve().then(() => {
                refs[(index + 1) % refs.length]?.cast(saying)
                return undefined
              })
            case 'sleep':
              ctx.after(1, saying)
              return simulation.delay(1).then(() => undefined)
            case 'look at the clock':
              heard[index]?.push(runtime.clock.now().toFixed())
              break
            case 'start':
              start(Once, { runtime, arg: index })
              break
            case 'stop':
              ctx.stop()
              break
            case 'ignore':
          }
          return undefined
        },
      }
    })
    const Once = consumer((index: number) => {
      refs[(index + 1) % refs.length]?.cast('new')
      return { handleEvents() {} }
    })
    for (const index of plan.keys()) refs.push(start(Gossip, { runtime, arg: index }))
    for (const [index, ref] of refs.entries()) ref.cast(`from ${index} `)
    return {
      end: () => {
        outcomes.add(heard.map(messages => messages.join(',')).join(' | '))
        return []
      },
    }
  }
}

/** Two stages tell a third that they were there; it must not hear of `second` first. */
const impatient: Scene = ({ runtime }) => {
  const heard: string[] = []
  const Listener = consumer(() => ({ handleEvents() {}, handleCast: (who: string) => void heard.push(who) }))
  const listener = start(Listener, { runtime })
  const Caller = consumer((who: string) => {
    return { handleEvents() {}, handleCast: (_: 'go') => listener.cast(who) }
  })
  for (const who of ['first', 'second']) start(Caller, { runtime, arg: who }).cast('go')
  return { check: () => (heard[0] === 'second' ? ['the second was first'] : []) }
}

describe('exploration', () => {
  it('finds every outcome that runs without pruning find', { timeout: 60_000 }, async () => {
    const [pruned, whole] = [new Set<string>(), new Set<string>()]
    const few = await explore(race(1, 2, pruned))
    const all = await explore(race(1, 2, whole), { prune: false })
    expect([few.complete, all.complete]).toEqual([true, true])
    expect([...pruned].sort()).toEqual([...whole].sort())
    expect(few.runs).toBeLessThan(all.runs)
  })

  it('finds them for stages that send, wait, end and begin at random', { timeout: 120_000 }, async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(gossips, async plan => {
        const [pruned, whole] = [new Set<string>(), new Set<string>()]
        const all = await explore(gossip(plan, whole), { prune: false, maxRuns: 400 })
        if (!all.complete) return
        compared++
        expect((await explore(gossip(plan, pruned))).complete).toBe(true)
        expect([...pruned].sort()).toEqual([...whole].sort())
      }),
      { numRuns: 300, seed: 6 },
    )
    expect(compared).toBeGreaterThan(50)
  })

  it('answers a counter-example that is short, and can be replayed', async () => {
    const { complete, counterExample, summary } = await explore(impatient)
    expect(complete).toBe(false)
    expect(counterExample?.violations).toEqual(['the second was first'])
    expect(summary).toContain('a counter-example after')
    const again = await replay(impatient, counterExample?.choices ?? [])
    expect(again).toEqual(counterExample)
    expect(counterExample?.choices.filter(choice => choice > 0).length).toBeLessThanOrEqual(3)
  })

  it('says aloud when it stops before the end', async () => {
    const { complete, runs, summary } = await explore(race(2, 3, new Set()), { maxRuns: 10 })
    expect([complete, runs]).toEqual([false, 10])
    expect(summary).toMatch(/^NOT complete, stopped at maxRuns: \d+ states in 10 runs, the longest of \d+ steps$/)
  })

  it('says so when a scene never becomes quiet', async () => {
    const restless: Scene = ({ runtime }) => {
      const Restless = consumer((_: void, ctx) => {
        ctx.every(1, 'tick')
        return { handleEvents() {}, handleInfo: (_tick: 'tick') => {} }
      })
      start(Restless, { runtime })
      return {}
    }
    const { counterExample } = await explore(restless, { maxSteps: 50 })
    expect(counterExample?.violations).toEqual(['not quiet after 50 steps'])
  })

  it('reports what a scene throws, and failures that nobody watches', async () => {
    const broken: Scene = () => {
      throw new Error('no scene')
    }
    expect((await explore(broken)).counterExample?.violations).toEqual(['thrown: no scene'])
    const crash: Scene = ({ runtime }) => {
      start(
        consumer(() => {
          throw new Error('no setup')
        }),
        { runtime },
      )
      return {}
    }
    expect((await explore(crash)).counterExample?.violations).toEqual([expect.stringContaining('watched by nobody')])
  })

  it.each([
    ['at rest', ['cast first']],
    ['any time', ['cast first', 'timer first']],
  ] as const)('lets timers fire at %s', async (timers, expected) => {
    const orders = new Set<string>()
    const options: ExploreOptions = { timers }
    await explore(({ runtime }) => {
      const order: string[] = []
      const Both = consumer((_: void, ctx) => {
        ctx.after(10, 'timer')
        return {
          handleEvents() {},
          handleCast: (_: 'cast') => void order.push('cast'),
          handleInfo: (_: 'timer') => void order.push('timer'),
        }
      })
      const both = start(Both, { runtime })
      const Relay = consumer(() => ({ handleEvents() {}, handleCast: (_: 'go') => both.cast('cast') }))
      start(Relay, { runtime }).cast('go')
      return { end: () => (orders.add(`${order[0] ?? 'nothing'} first`), []) }
    }, options)
    expect([...orders].sort()).toEqual(expected)
  })

  it('lets timers that are due at one time fire in any order', async () => {
    const orders = new Set<string>()
    const { complete } = await explore(({ runtime }) => {
      const order: string[] = []
      const Waiting = consumer((who: string, ctx) => {
        ctx.after(10, 'timer')
        return { handleEvents() {}, handleInfo: (_: 'timer') => void order.push(who) }
      })
      for (const who of ['a', 'b']) start(Waiting, { runtime, arg: who })
      return { end: () => (orders.add(order.join('')), []) }
    })
    expect(complete).toBe(true)
    expect([...orders].sort()).toEqual(['ab', 'ba'])
  })
})
