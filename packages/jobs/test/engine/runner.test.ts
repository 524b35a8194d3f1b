import { describe, expect, it } from 'vitest'
import { JobsError, kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

const Echo = kind('echo', (text: string) => text)
const Slow = (world: World) => kind('slow', (ms: number) => world.delay(ms))
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof JobsError ? error.code : error),
  )

describe('the life of a runner', () => {
  it('runs what was enqueued before it was ready', async () => {
    const world = new World()
    const runner = world.starting([Echo])
    const job = await world.settled(runner.enqueue(Echo, 'x'))
    expect(await world.settled(job.result())).toBe('x')
    await world.close()
  })

  it('stop during the start leaves nothing behind, at whatever point it comes', async () => {
    for (const point of ['open', 'register', 'rescue'] as const) {
      const world = new World()
      let stopped: Promise<void> | undefined
      world.before(point, () => queueMicrotask(() => void (stopped ??= runner.stop())))
      const runner = world.starting([Echo])
      await world.advance(10)
      await world.settled(stopped ?? Promise.reject(new Error(point)))
      await world.settled(runner.done)
      await world.close()
    }
  })

  it('stop three times is one stop, and calls after it are refused', async () => {
    const world = new World()
    const runner = await world.runner([Echo])
    const stops = [runner.stop(), runner.stop(), runner.close()]
    await world.settled(Promise.all(stops))
    await world.settled(runner.done)
    expect(await code(runner.enqueue(Echo, 'x'))).toBe('STOPPED')
    expect(await code(runner.find('00000000-0000-4000-8000-000000000000'))).toBe('STOPPED')
    expect(() => runner.addQueue('more', 1)).toThrow('stopping')
    await world.close()
  })

  it('JOB-9 stop aborts nothing before its grace is over; then jobs are given back with no attempt used up', async () => {
    const world = new World()
    const seen: string[] = []
    const Work = kind('work', async (ms: number, { signal, stopping }) => {
      stopping.addEventListener('abort', () => seen.push(`stopping at ${world.now}`))
      await Promise.race([world.delay(ms), new Promise(resolve => signal.addEventListener('abort', resolve))])
      if (signal.aborted) seen.push(`aborted at ${world.now}: ${(signal.reason as JobsError).code}`)
      signal.throwIfAborted()
    })
    const runner = await world.runner([Work], { default: 2 }, { graceMs: 1_000 })
    const short = await world.settled(runner.enqueue(Work, 500))
    const long = await world.settled(runner.enqueue(Work, 5_000))
    const waiting = await world.settled(runner.enqueue(Work, 1))
    await world.advance(0)
    await world.settled(runner.stop(), 1_000)
    expect(seen).toEqual(['stopping at 0', 'stopping at 0', 'aborted at 1000: STOPPED'])
    const [a, b, c] = await readAll(world, [short.id, long.id, waiting.id])
    expect([a?.state, b?.state, c?.state]).toEqual(['completed', 'waiting', 'waiting'])
    expect([b?.attempt, b?.crashes, b?.history, c?.attempt]).toEqual([0, 0, [], 0])
    await world.close()
  })

  it('JOB-9 nothing begins after stop, whatever is on its way to the executors', async () => {
    for (let steps = 0; steps < 60; steps++) {
      const world = new World(steps)
      const begun: number[] = []
      let isStopped = false
      const Work = kind('work', (n: number) => {
        if (isStopped) begun.push(n)
      })
      const runner = await world.runner([Work], { default: 3 })
      const enqueued = runner.enqueueMany(Work, [1, 2, 3, 4, 5, 6, 7, 8])
      await world.simulation.flush()
      for (let step = 0; step < steps; step++) if (!world.simulation.step()) await world.simulation.flush()
      isStopped = true
      const stopped = runner.stop()
      await world.settled(Promise.all([enqueued, stopped]))
      expect([steps, begun]).toEqual([steps, []])
      const { queues } = await reopened(world).stats()
      expect([steps, queues['default']?.running]).toEqual([steps, 0])
      await world.close()
    }
  })

  it('a second stop with a shorter grace shortens it, a longer one does not lengthen it', async () => {
    const world = new World()
    const Work = Slow(world)
    const runner = await world.runner([Work], { default: 1 }, { graceMs: 60_000, abandonMs: 100 })
    await world.settled(runner.enqueue(Work, 600_000))
    await world.advance(0)
    void runner.stop({ graceMs: 500 })
    void runner.stop()
    const { now } = world
    await world.settled(runner.stop({ graceMs: 50_000 }), 1_000)
    expect(world.now - now).toBe(600)
    await world.close()
  })

  it('a start that fails rejects ready and done, and lets go of everything', async () => {
    for (const point of ['open', 'register'] as const) {
      const world = new World()
      world.fail(point)
      const runner = world.starting([Echo])
      expect(await code(world.settled(runner.ready))).toBe('STORE_UNAVAILABLE')
      expect(await code(world.settled(runner.done))).toBe('STORE_UNAVAILABLE')
      await world.close()
    }
  })

  it('a start that fails is told in the log, with its code', async () => {
    const world = new World()
    world.fail('open')
    const runner = world.starting([Echo])
    await code(world.settled(runner.done))
    expect(world.lines('STORE_UNAVAILABLE').map(({ level, message }) => [level, message])).toEqual([
      ['error', 'the runner could not start: a planned fault'],
    ])
    await world.close()
  })

  it('stop resolves although the store cannot be left in order', async () => {
    for (const point of ['unregister', 'close', 'settle'] as const) {
      const world = new World()
      const Work = Slow(world)
      const runner = await world.runner([Work], { default: 1 })
      await world.settled(runner.enqueue(Work, 10))
      await world.advance(0)
      world.fail(point)
      await world.settled(runner.stop(), 20_000)
      await world.settled(runner.done)
      expect([point, world.simulation.timers]).toEqual([point, 0])
      expect(world.log.some(({ level }) => level === 'error')).toBe(true)
    }
  })

  it('a start does not wait for pruning', async () => {
    const world = new World()
    let pruning = 0
    world.hooks.prune = () => new Promise(() => void pruning++)
    const runner = world.starting([Echo])
    const job = await world.settled(runner.enqueue(Echo, 'x'))
    expect(await world.settled(job.result())).toBe('x')
    await world.advance(10_000)
    expect(pruning).toBe(1)
  })

  it('F38 2,000 starts and stops leave no timer', async () => {
    const world = new World()
    for (let cycle = 0; cycle < 2_000; cycle++) {
      const runner = world.starting([Echo], { a: 1, b: 2 })
      if (cycle % 3 > 0) await world.settle()
      if (cycle % 3 > 1) void runner.enqueue(Echo, 'x')
      await world.settled(runner.stop())
    }
    expect(world.simulation.timers).toBe(0)
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([])
  }, 60_000)
})

describe('queues of a runner', () => {
  it('can be added before the runner is ready, and later', async () => {
    const world = new World()
    const runner = world.starting([Echo], { first: 1 })
    runner.addQueue('early', 1)
    await world.settled(runner.ready)
    runner.addQueue('late', 2)
    for (const queue of ['first', 'early', 'late']) {
      const job = await world.settled(runner.enqueue(Echo, queue, { queue }))
      expect(await world.settled(job.result())).toBe(queue)
    }
    await world.advance(5_000)
    expect(world.told('queueAdded').map(({ event }) => (event as { queue: string }).queue)).toEqual(['first', 'early', 'late'])
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([])
    await world.close()
  })

  it('dropQueue lets what runs end, gives back what waits, and knows the queue no longer', async () => {
    const world = new World()
    const Work = Slow(world)
    const runner = await world.runner([Work], { default: 1, other: 1 })
    const [first, second] = await world.settled(runner.enqueueMany(Work, [1_000, 1_000]))
    await world.advance(0)
    const dropped = runner.dropQueue('default')
    expect(() => runner.queue('default')).toThrow('does not work on queue "default"; it works on other')
    await world.settled(dropped, 1_000)
    await world.advance(5_000)
    expect([await world.state(first?.id ?? ''), await world.state(second?.id ?? '')]).toEqual(['completed', 'waiting'])
    expect(world.told('queueRemoved')).toHaveLength(1)
    expect(await code(runner.dropQueue('default'))).toBe('UNKNOWN_QUEUE')
    await world.close()
  })

  it('a queue that is still being dropped can be added again', async () => {
    const world = new World()
    const Work = Slow(world)
    const runner = await world.runner([Work], { default: 1 })
    const jobs = await world.settled(runner.enqueueMany(Work, [1_000, 10, 10]))
    await world.advance(0)
    const dropped = runner.dropQueue('default')
    runner.addQueue('default', 2)
    await world.advance(500)
    expect(await Promise.all(jobs.map(({ id }) => world.state(id)))).toEqual(['running', 'completed', 'completed'])
    await world.settled(dropped)
    const job = await world.settled(runner.enqueue(Work, 1))
    await world.settled(job.result())
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([])
    await world.close()
  })

  it('one that is dropped before the runner is ready never works', async () => {
    const world = new World()
    const runner = world.starting([Echo], { a: 1, b: 1 })
    const dropped = runner.dropQueue('a')
    await world.settled(Promise.all([dropped, runner.ready]))
    const job = await world.settled(runner.enqueue(Echo, 'x', { queue: 'a' }))
    await world.advance(10_000)
    expect(await world.state(job.id)).toBe('waiting')
    await world.close()
  })

  it('stop while a queue is being dropped ends both', async () => {
    const world = new World()
    const Work = Slow(world)
    const runner = await world.runner([Work], { default: 1 }, { abandonMs: 50 })
    await world.settled(runner.enqueue(Work, 60_000))
    await world.advance(0)
    const dropped = runner.dropQueue('default', { graceMs: 30_000 })
    await world.settled(runner.stop({ graceMs: 100 }), 200)
    await world.settled(dropped, 0)
    await world.close()
  })

  it('dropQueue with a store that is down ends with the runner, and leaves no timer', async () => {
    const world = new World()
    const Work = Slow(world)
    const runner = await world.runner([Work], { default: 1 })
    await world.settled(runner.enqueue(Work, 100))
    await world.advance(0)
    world.fail('settle')
    const dropped = runner.dropQueue('default')
    await world.advance(5_000)
    await world.settled(runner.stop())
    await world.settled(dropped)
    await world.close()
  })
})

/** The store is open while somebody uses it. */
function reopened(world: World): ReturnType<World['client']> {
  return world.client()
}

async function readAll(world: World, ids: readonly string[]) {
  const client = reopened(world)
  return Promise.all(ids.map(id => world.settled(client.find(id))))
}
