import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { FifoMailbox } from '../../src/mailbox.ts'
import { RunLoop } from '../../src/run-loop.ts'
import { type Scheduler, systemScheduler } from '../../src/scheduler.ts'

/** Somebody whose turns are written down. */
function runnable(turns: string[], id: string, onTurn: () => void = () => {}) {
  return {
    id,
    mailbox: new FifoMailbox(),
    hasWorkInHand: false,
    turn() {
      turns.push(id)
      onTurn()
      return false
    },
  }
}

describe('RunLoop.react', () => {
  it('gives turns before it returns, also to those that are woken by them', () => {
    const turns: string[] = []
    const loop = new RunLoop(systemClock, systemScheduler, 2)
    const second = runnable(turns, 'second')
    loop.react(() => loop.wake(runnable(turns, 'first', () => loop.wake(second))))
    expect(turns).toEqual(['first', 'second'])
  })

  it('only does the work while a run is under way, or scheduled', async () => {
    const turns: string[] = []
    const loop = new RunLoop(systemClock, systemScheduler, 2)
    const second = runnable(turns, 'second')
    const first = runnable(turns, 'first', () => {
      loop.react(() => loop.wake(second))
      turns.push('end of first')
    })
    loop.wake(first)
    loop.react(() => loop.wake(runnable(turns, 'third')))
    expect(turns).toEqual([])
    await Promise.resolve()
    expect(turns).toEqual(['first', 'end of first', 'third', 'second'])
  })

  it('leaves it to any other scheduler when turns are given', () => {
    const turns: string[] = []
    const scheduled: (() => void)[] = []
    const scheduler: Scheduler = { schedule: work => void scheduled.push(work), yieldTo: work => systemScheduler.yieldTo(work) }
    const loop = new RunLoop(systemClock, scheduler, 2)
    loop.react(() => loop.wake(runnable(turns, 'first')))
    expect(turns).toEqual([])
    for (const work of scheduled) work()
    expect(turns).toEqual(['first'])
  })
})

describe('RunLoop.reactTogether', () => {
  /** A scheduler whose round of the event loop is over when the test says so. */
  function rounds() {
    const later: (() => void)[] = []
    const { yieldTo } = systemScheduler
    Object.assign(systemScheduler, { yieldTo: (work: () => void) => later.push(work) })
    onTestFinished(() => void Object.assign(systemScheduler, { yieldTo }))
    return { over: () => later.splice(0).forEach(work => work()) }
  }

  it('reacts at once if there have been no turns in this round of the event loop', () => {
    const round = rounds()
    const turns: string[] = []
    const loop = new RunLoop(systemClock, systemScheduler, 2)
    loop.reactTogether(() => loop.wake(runnable(turns, 'first')))
    expect(turns).toEqual(['first'])
    round.over()
    expect(turns).toEqual(['first'])
  })

  it('keeps what comes later in the round until it is over, and then reacts to all of it before anybody has a turn', () => {
    const round = rounds()
    const turns: string[] = []
    const loop = new RunLoop(systemClock, systemScheduler, 2)
    loop.reactTogether(() => loop.wake(runnable(turns, 'first')))
    for (const id of ['second', 'third']) {
      loop.reactTogether(() => {
        turns.push(`reaction ${id}`)
        loop.wake(runnable(turns, id))
      })
    }
    expect(turns).toEqual(['first'])
    round.over()
    expect(turns).toEqual(['first', 'reaction second', 'reaction third', 'second', 'third'])
    loop.reactTogether(() => loop.wake(runnable(turns, 'fourth')))
    expect(turns).not.toContain('fourth')
    round.over()
    expect(turns).toContain('fourth')
    round.over()
    loop.reactTogether(() => loop.wake(runnable(turns, 'fifth')))
    expect(turns.at(-1)).toBe('fifth')
  })

  it('does the work when a slice that was used up goes on', () => {
    const round = rounds()
    const turns: string[] = []
    let left = 100_000
    const loop = new RunLoop({ ...systemClock, now: () => 0 }, systemScheduler, 2)
    const busy = { ...runnable(turns, 'busy'), turn: () => --left > 0 }
    loop.react(() => loop.wake(busy))
    const before = left
    expect(before).toBeGreaterThan(0)
    loop.reactTogether(() => turns.push('reaction'))
    round.over()
    expect([left < before, turns]).toEqual([true, ['reaction']])
  })
})
