import { describe, expect, it, vi } from 'vitest'
import { JobEventBus } from '../../src/events.ts'
import { type Job, kind, type Middleware } from '../../src/index.ts'
import { World } from '../support/world.ts'

const event = { id: 'x', kind: 'k', queue: 'q', at: 0, attempt: 1, maxAttempts: 3, runner: 'r' }

describe('the bus', () => {
  it('JOB-18 a listener that throws, or rejects, is told about under the name of its event; others are told all the same', async () => {
    const told: string[] = []
    const bus = new JobEventBus((name, error) => told.push(`${name}: ${String(error)}`))
    const bad = (): never => {
      throw new Error('sync')
    }
    bus.on('started', bad)
    bus.on('released', bad)
    bus.on('started', () => Promise.reject(new Error('async')) as unknown as void)
    let count = 0
    bus.on('started', () => void count++)
    bus.emit('started', event)
    bus.emit('released', event)
    await Promise.resolve()
    await Promise.resolve()
    expect(told).toEqual(['started: Error: sync', 'released: Error: sync', 'started: Error: async'])
    expect(count).toBe(1)
  })

  it('takes listeners off again, also those of once and those that were added twice', () => {
    const bus = new JobEventBus(() => {})
    const seen: string[] = []
    const one = (): void => void seen.push('one')
    bus.on('started', one)
    bus.off('started', one)
    bus.once('started', one)
    bus.off('started', one)
    bus.once('started', one)
    bus.emit('started', event)
    bus.emit('started', event)
    bus.addListener('started', one)
    bus.on('released', one)
    bus.removeListener('released', one)
    bus.emit('started', event)
    bus.emit('released', event)
    bus.removeAllListeners('started')
    bus.emit('started', event)
    expect(seen).toEqual(['one', 'one'])
    expect(bus.listenerCount('started')).toBe(0)
  })
})

describe('JOB-18 F43 listeners, hooks and loggers change nothing', () => {
  const outcomes = ['completed', 'failed', 'discarded', 'cancelled', 'snoozed'] as const

  it('listeners that throw, reject, never settle', async () => {
    const world = new World()
    const Work = kind('work', (n: number) => n)
    const runner = await world.runner([Work])
    for (const name of ['enqueued', 'started', 'completed', 'idle', 'storeError'] as const) {
      runner.events.on(name, () => {
        throw new Error('a listener throws')
      })
      runner.events.on(name, (() => Promise.reject(new Error('a listener rejects'))) as unknown as () => void)
      runner.events.on(name, (() => new Promise(() => {})) as unknown as () => void)
    }
    const jobs = await world.settled(runner.enqueueMany(Work, [1, 2, 3, 4, 5]))
    const results = await world.settled(Promise.all(jobs.map(job => job.result())))
    expect(results).toEqual([1, 2, 3, 4, 5])
    expect(world.log.filter(({ message }) => message.includes('a listener of "completed" failed'))).toHaveLength(10)
    expect(runner.events.listenerCount('completed')).toBe(4)
    await world.close()
  })

  it('a logger that throws, or rejects', async () => {
    const complaints = vi.spyOn(console, 'error').mockImplementation(() => {})
    const world = new World()
    const say = (): never => {
      throw new Error('the disk is full')
    }
    const logger = { debug: say, info: say, warn: say, error: say }
    const Work = kind('work', { maxAttempts: 2, backoff: () => 1, handler: (n: number) => { if (n < 3) throw new Error('x'); return n } }) // prettier-ignore
    const runner = await world.runner([Work], { default: 3 }, { logger })
    const jobs = await world.settled(runner.enqueueMany(Work, [1, 2, 3, 4, 5]))
    await world.advance(1_000)
    const states = await Promise.all(jobs.map(({ id }) => world.state(id)))
    expect(states).toEqual(['failed', 'failed', 'completed', 'completed', 'completed'])
    await world.settled(runner.stop())
    expect(complaints).toHaveBeenCalled()
    complaints.mockRestore()
    expect(world.simulation.timers).toBe(0)
  })

  it('a middleware that throws after the handler fails that attempt, and no other', async () => {
    const world = new World()
    let calls = 0
    const flaky: Middleware = async (_, next) => {
      const result = await next()
      if (++calls === 1) throw new Error('once')
      return result
    }
    const Work = kind('work', { backoff: () => 10, handler: (n: number) => n })
    const runner = await world.runner([Work], { default: 1 }, { middleware: [flaky] })
    const jobs = await world.settled(runner.enqueueMany(Work, [1, 2, 3]))
    await world.advance(100)
    const found = await Promise.all(jobs.map(job => world.settled<Job | undefined>(job.find())))
    expect(found.map(job => [job?.state, job?.attempt])).toEqual([
      ['completed', 2],
      ['completed', 1],
      ['completed', 1],
    ])
    await world.close()
  })

  it('every end is told once, when the store has it', async () => {
    const world = new World()
    const Work = kind('work', (n: number) => n)
    const runner = await world.runner([Work])
    const states: unknown[] = []
    runner.events.on('completed', ({ id }) => void world.state(id).then(state => states.push(state)))
    const { id } = await world.settled(runner.enqueue(Work, 1))
    await world.advance(1)
    expect(states).toEqual(['completed'])
    expect(world.told(...outcomes).map(each => each.id)).toEqual([id])
    await world.close()
  })
})
