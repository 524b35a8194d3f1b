import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GenStageError } from '../../../src/errors.ts'
import { priorityDispatcher, type PriorityDispatcherOptions } from '../../../src/dispatchers/priority.ts'
import { numbers, Rig } from '../support/rig.ts'

/** An event is its priority and a letter: `2b`. */
const priority = (event: string): number => Number(event.slice(0, -1))

function rigWith(options: Partial<PriorityDispatcherOptions<string>> = {}, now: () => number = () => 0): Rig<string> {
  const rig = new Rig<string>(priorityDispatcher({ priority, ...options }), { now })
  rig.subscribe('a')
  return rig
}

function waiting(rig: Rig<string>): unknown {
  const picture = rig.dispatcher.inspect?.() as { readonly waiting: unknown } | undefined
  return picture?.waiting
}

describe('priorityDispatcher', () => {
  it('hands out the most urgent first, and in order of emission within a priority', () => {
    const rig = rigWith()
    rig.dispatch(['2a', '1b', '3c', '1d', '2e'])
    expect(rig.delivered()).toEqual([])
    expect(waiting(rig)).toEqual([
      { priority: 1, waiting: 2 },
      { priority: 2, waiting: 2 },
      { priority: 3, waiting: 1 },
    ])
    rig.ask('a', 3)
    expect(rig.delivered()).toEqual([['a', ['1b', '1d', '2a']]])
    rig.dispatch(['1f'])
    rig.ask('a', 3)
    expect(rig.delivered()).toEqual([['a', ['1f', '2e', '3c']]])
  })

  it('sorts also what it can hand out at once', () => {
    const rig = rigWith()
    rig.ask('a', 3)
    rig.dispatch(['3a', '1b', '2c', '1d'])
    expect(rig.delivered()).toEqual([['a', ['1b', '1d', '2c']]])
    expect(rig.dispatcher.held?.()).toEqual(['3a'])
  })

  it('takes fractions, negative numbers and infinities', () => {
    const rig = rigWith()
    rig.dispatch(['Infinitya', '0.5b', '-1c', '-Infinityd', '0e', '-0f'])
    rig.ask('a', 9)
    expect(rig.delivered()).toEqual([['a', ['-Infinityd', '-1c', '0e', '-0f', '0.5b', 'Infinitya']]])
  })

  it('gives to the consumer with the highest demand', () => {
    const rig = rigWith()
    rig.subscribe('b')
    rig.ask('a', 1)
    rig.ask('b', 2)
    rig.dispatch(['2a', '1b', '3c'])
    expect(rig.delivered()).toEqual([
      ['b', ['1b', '2a']],
      ['a', ['3c']],
    ])
  })

  it('asks ahead by maxQueued once somebody has asked, and not while nobody is there', () => {
    const rig = rigWith({ maxQueued: 10 })
    expect(rig.allowance).toBe(0)
    expect(rig.ask('a', 3)).toBe(13)
    rig.dispatch(Array.from({ length: 13 }, () => '1a'))
    expect(rig.allowance).toBe(0)
    expect(rig.ask('a', 4)).toBe(4)
    rig.cancel('a')
    expect(rig.allowance).toBe(0)
    rig.subscribe('b')
    expect(rig.ask('b', 2)).toBe(2)
    expect(rig.delivered()).toHaveLength(3)
  })

  it('asks ahead by 1,000 by default', () => {
    expect(rigWith().ask('a', 5)).toBe(1_005)
  })

  it('INV-23 holds no more than maxQueued and leaves the rest over, in order', () => {
    const rig = rigWith({ maxQueued: 3 })
    rig.ask('a', 1)
    expect(rig.dispatch(['5a', '4b', '3c', '2d', '1e', '0f'])).toEqual(['1e', '0f'])
    expect(rig.delivered()).toEqual([['a', ['2d']]])
    expect(rig.dispatcher.held?.()).toHaveLength(3)
    expect(rig.dispatch(['0g'])).toEqual(['0g'])
  })

  it('GS-G6 INV-25 keeps infos behind the events before them, whatever leaves first', () => {
    const rig = rigWith()
    rig.info('at once')
    expect(rig.infos()).toEqual(['at once'])
    rig.dispatch(['2a', '1b'])
    rig.info('behind 2a 1b')
    rig.dispatch(['1c'])
    rig.info('behind 1c')
    rig.info('too')
    rig.ask('a', 2)
    expect([rig.delivered(), rig.infos()]).toEqual([[['a', ['1b', '1c']]], []])
    rig.ask('a', 1)
    expect([rig.delivered(), rig.infos()]).toEqual([[['a', ['2a']]], ['behind 2a 1b', 'behind 1c', 'too']])
  })

  it('never inverts: nothing leaves while something more urgent waits', () => {
    const step = fc.oneof(
      fc.record({ ask: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ emit: fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 20 }), (steps, maxQueued) => {
        const rig = new Rig<readonly [priority: number, id: number]>(priorityDispatcher({ priority: ([p]) => p, maxQueued }))
        rig.subscribe('a')
        let id = 0
        for (const each of steps) {
          if ('ask' in each) rig.ask('a', each.ask)
          else rig.dispatch(each.emit.map(p => [p, id++] as const))
          const sent = rig.delivered().flatMap(([, events]) => events as (readonly [number, number])[])
          const held = (rig.dispatcher.held?.() ?? []) as (readonly [number, number])[]
          const all = [...sent, ...held]
          expect(all).toEqual(all.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]))
          expect(held.length).toBeLessThanOrEqual(maxQueued)
        }
      }),
    )
  })

  describe('with ageMs', () => {
    it('lets an event of priority p leave like one of priority 0 that came p times ageMs later', () => {
      let now = 0
      const rig = rigWith({ ageMs: 100 }, () => now)
      rig.dispatch(['3a'])
      now = 299
      rig.dispatch(['0b'])
      now = 301
      rig.dispatch(['0c'])
      rig.ask('a', 3)
      expect(rig.delivered()).toEqual([['a', ['0b', '3a', '0c']]])
    })

    it('starves nothing: what waits leaves after at most p times ageMs of urgent events', () => {
      let now = 0
      const rig = rigWith({ ageMs: 10 }, () => now)
      rig.dispatch(['9a'])
      let leftAt: number | undefined
      for (now = 1; now < 200 && leftAt === undefined; now++) {
        rig.dispatch(['0b', '0c'])
        rig.ask('a', 1)
        if (rig.delivered().some(([, events]) => events.includes('9a'))) leftAt = now
      }
      // 90 ms of two events for each that leaves
      expect(leftAt).toBeGreaterThan(90)
      expect(leftAt).toBeLessThanOrEqual(181)
    })

    it('hands out by priority · ageMs + time of arrival, and in order of emission within a priority', () => {
      const step = fc.record({
        wait: fc.nat(30),
        priorities: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
        ask: fc.nat(4),
      })
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.integer({ min: 1, max: 20 }), (steps, ageMs) => {
          type Aged = readonly [priority: number, id: number, at: number]
          let now = 0
          let id = 0
          const rig = new Rig<Aged>(priorityDispatcher({ priority: ([p]) => p, ageMs, maxQueued: 1_000 }), { now: () => now })
          rig.subscribe('a')
          const rank = ([p, , at]: Aged): number => p * ageMs + at
          for (const { wait, priorities, ask } of steps) {
            now += wait
            rig.dispatch(priorities.map(p => [p, id++, now] as const))
            if (ask > 0) rig.ask('a', ask)
            const all = [
              ...rig.delivered().flatMap(([, events]) => events),
              ...(rig.dispatcher.held?.() ?? []),
            ] as readonly Aged[]
            const first = all.slice(0, ask)
            expect(first).toEqual(all.toSorted((a, b) => rank(a) - rank(b) || a[0] - b[0] || a[1] - b[1]).slice(0, ask))
          }
        }),
      )
    })
  })

  it('GS-X21 puts what is given back in front of its priority, beyond maxQueued if need be', () => {
    const rig = rigWith({ maxQueued: 3 })
    rig.ask('a', 3)
    rig.dispatch(['1a', '2b', '1c', '1d', '2e', '1f'])
    expect(rig.delivered()).toEqual([['a', ['1a', '1c', '1d']]])
    expect(rig.giveBack('a', ['1c', '1d'])).toEqual([])
    expect(rig.dispatcher.held?.()).toEqual(['1c', '1d', '1f', '2b', '2e'])
    rig.subscribe('b')
    rig.ask('b', 4)
    expect(rig.delivered()).toEqual([['b', ['1c', '1d', '1f', '2b']]])
  })

  it('GS-X21 gives what is given back to others that have demand', () => {
    const rig = rigWith()
    rig.ask('a', 2)
    rig.dispatch(['2a', '1b'])
    rig.subscribe('b')
    rig.ask('b', 2)
    rig.delivered()
    rig.giveBack('a', ['1b', '2a'])
    expect(rig.delivered()).toEqual([['b', ['1b', '2a']]])
  })

  it.each([NaN, '1', undefined, null, 1n, {}])(
    'GS-G8 ends its stage when priority answers %s, and has let nothing in',
    answer => {
      const rig = new Rig<number>(priorityDispatcher({ priority: (event: number) => (event === 2 ? (answer as number) : 0) }))
      expect(() => rig.dispatch([1, 2, 3])).toThrow(expect.objectContaining({ code: 'BAD_RETURN', option: 'priority' }))
      expect(rig.dispatcher.held?.()).toEqual([])
    },
  )

  it('GS-G8 lets through what priority throws', () => {
    const boom = new Error('boom')
    const rig = new Rig<number>(
      priorityDispatcher({
        priority: () => {
          throw boom
        },
      }),
    )
    expect(() => rig.dispatch([1])).toThrow(boom)
  })

  it.each<[what: string, options: unknown, option: string | undefined]>([
    ['no options', undefined, 'priority'],
    ['a priority that is no function', { priority: 1 }, 'priority'],
    ['maxQueued 0', { priority, maxQueued: 0 }, 'maxQueued'],
    ['maxQueued Infinity', { priority, maxQueued: Infinity }, 'maxQueued'],
    ['ageMs 0', { priority, ageMs: 0 }, 'ageMs'],
    ['ageMs NaN', { priority, ageMs: NaN }, 'ageMs'],
    ['ageMs Infinity', { priority, ageMs: Infinity }, 'ageMs'],
    ['a misspelt option', { priority, agems: 5 }, 'agems'],
    ['a text', 'urgent first', undefined],
  ])('BAD-19 refuses %s', (_what, options, option) => {
    let error: unknown
    try {
      priorityDispatcher(options as PriorityDispatcherOptions<string>)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(GenStageError)
    expect(error).toMatchObject({ code: 'BAD_OPTION', option })
    expect(String(error)).toContain('priorityDispatcher')
  })

  it('keeps its speed with every event of another priority', () => {
    const rig = new Rig<number>(priorityDispatcher({ priority: (event: number) => -event, maxQueued: 50_000 }))
    rig.subscribe('a')
    rig.dispatch(numbers(0, 50_000))
    rig.ask('a', 50_000)
    expect(rig.delivered()[0]?.[1]).toEqual(numbers(0, 50_000).toReversed())
  })
})
