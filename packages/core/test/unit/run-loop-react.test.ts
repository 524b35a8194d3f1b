import { describe, expect, it } from 'vitest'
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
