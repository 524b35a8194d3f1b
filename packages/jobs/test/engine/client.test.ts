import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { JobsError, kind } from '../../src/index.ts'
import type { Hint, Store } from '../../src/store.ts'
import { World } from '../support/world.ts'

const Echo = kind('echo', (text: string) => text)
/** A kind whose args are checked by a promise. */
const Slow = kind('slow', {
  args: z.string().refine(async text => text !== 'bad', 'is bad'),
  handler: text => text,
})
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof JobsError ? error.code : error),
  )

/** A store that tells the hints of the test alone. */
function withHints(inner: Store): { readonly store: Store; readonly hint: (hint: Hint) => void } {
  const listeners = new Set<(hint: Hint) => void>()
  const listen = (listener: (hint: Hint) => void): (() => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  const store = new Proxy(inner, { get: (target, name) => (name === 'listen' ? listen : (Reflect.get(target, name) as unknown)) })
  return { store, hint: hint => listeners.forEach(listener => listener(hint)) }
}

/** How many jobs each insert had. */
function watchInserts(world: World): number[] {
  const inserts: number[] = []
  world.hooks.insert = (call, jobs) => {
    inserts.push(jobs.length)
    return call()
  }
  return inserts
}

describe('enqueue', () => {
  it('calls of one turn are one write, in their order; those of the next turn are another', async () => {
    const world = new World()
    const inserts = watchInserts(world)
    const client = world.client()
    await client.ready
    const first = Array.from({ length: 50 }, (_, n) => client.enqueue(Echo, `a${n}`))
    await world.settled(Promise.all(first))
    await world.settled(client.enqueue(Echo, 'b'))
    expect(inserts).toEqual([50, 1])
    const { jobs } = await world.settled(client.list())
    expect(jobs.map(({ args }) => args)).toEqual(['b', ...Array.from({ length: 50 }, (_, n) => `a${49 - n}`)])
    await world.close()
  })

  it('of more than 1,000 in a turn each 1,000 are a write', async () => {
    const world = new World()
    const inserts = watchInserts(world)
    const client = world.client()
    await client.ready
    await world.settled(Promise.all(Array.from({ length: 2_345 }, (_, n) => client.enqueue(Echo, `${n}`))))
    expect(inserts).toEqual([1_000, 1_000, 345])
    await world.close()
  })

  it('before the store is open they wait, and are one write then', async () => {
    const world = new World()
    const inserts = watchInserts(world)
    world.before('open', () => world.delay(5_000))
    const client = world.client()
    const enqueued = Promise.all([client.enqueue(Echo, 'a'), client.enqueue(Echo, 'b')])
    await world.advance(1_000)
    const third = client.enqueue(Echo, 'c')
    await world.settled(Promise.all([enqueued, third]))
    expect(inserts.reduce((sum, count) => sum + count, 0)).toBe(3)
    await world.close()
  })

  it('BAD-102 one id that is taken refuses that call alone; the same job again is a duplicate (F6)', async () => {
    const world = new World()
    const client = world.client()
    await world.settled(client.enqueue(Echo, 'x', { id: id(1) }))
    const answers = await world.settled(
      Promise.all([
        code(client.enqueue(Echo, 'before')),
        code(client.enqueue(Echo, 'another', { id: id(1) })),
        code(client.enqueue(Echo, 'after')),
        client.enqueue(Echo, 'x', { id: id(1) }).then(({ outcome, isNew }) => [outcome, isNew]),
      ]),
    )
    expect(answers).toEqual(['resolved', 'ID_CONFLICT', 'resolved', ['duplicate', false]])
    expect((await world.settled(client.list())).jobs).toHaveLength(3)
    await world.close()
  })

  it('a store that fails rejects all calls of the write with its code', async () => {
    const world = new World()
    const client = world.client()
    const mend = world.fail('insert', 'STORE_FULL')
    expect(await world.settled(Promise.all([code(client.enqueue(Echo, 'a')), code(client.enqueue(Echo, 'b'))]))).toEqual([
      'STORE_FULL',
      'STORE_FULL',
    ])
    mend()
    expect(await code(world.settled(client.enqueue(Echo, 'c')))).toBe('resolved')
    await world.close()
  })

  it('enqueueMany is one write, all or none, and names the one that was refused', async () => {
    const world = new World()
    const inserts = watchInserts(world)
    const client = world.client()
    const jobs = await world.settled(client.enqueueMany(Echo, ['a', 'b', 'c'], { priority: 2, tags: ['t'] }))
    expect(jobs.map(({ outcome }) => outcome)).toEqual(['inserted', 'inserted', 'inserted'])
    expect(await world.settled(client.enqueueMany(Echo, []))).toEqual([])
    const refusal = await world.settled(client.enqueueMany(Echo, ['a', 1n as unknown as string]).catch((error: unknown) => error))
    expect(refusal).toMatchObject({ code: 'BAD_PAYLOAD', index: 1 })
    expect(inserts).toEqual([3])
    await world.close()
  })

  it('BAD-100 enqueueMany takes no more than a million, tells how many there were, and stores none', async () => {
    const world = new World()
    const client = world.client()
    await expect(
      client.enqueueMany(
        Echo,
        Array.from({ length: 1_000_001 }, () => 'x'),
      ),
    ).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: 'enqueueMany echo: args must be an array of at most 1,000,000 args, not an array of 1,000,001',
    })
    await expect(client.enqueueMany(Echo, new Set(['x']) as unknown as string[])).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: 'enqueueMany echo: args must be an array of at most 1,000,000 args, not a Set',
    })
    expect((await world.settled(client.list())).jobs).toEqual([])
    await world.close()
  })

  it('enqueueMany takes the args as they are at the call, also where their schema is asynchronous', async () => {
    const world = new World()
    const client = world.client()
    const args = ['a', 'b', 'c']
    const enqueued = client.enqueueMany(Slow, args)
    args.length = 0
    expect(await world.settled(enqueued)).toHaveLength(3)
    await world.close()
  })

  it('by name: any where no kinds are known, else those alone, with the nearest name', async () => {
    const world = new World()
    expect(await code(world.settled(world.client().enqueue('whatever', { a: 1 })))).toBe('resolved')
    const client = world.client({ kinds: [Echo] })
    await expect(world.settled(client.enqueue('ecco'))).rejects.toThrow(/no kind "ecco"/)
    expect(await code(world.settled(client.enqueue('echo', 'x')))).toBe('resolved')
    await world.close()
  })

  it('JOB-10 50 at once with one key are one job, and all get its id', async () => {
    const world = new World()
    const [one, other] = [world.client(), world.client()]
    const handles = await world.settled(
      Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? one : other).enqueue(Echo, `${n}`, { unique: 'one' }))),
    )
    expect(new Set(handles.map(handle => handle.id)).size).toBe(1)
    expect(handles.filter(handle => handle.isNew)).toHaveLength(1)
    await world.close()
  })
})

describe('results', () => {
  it('come by hint, at once', async () => {
    const world = new World()
    const runner = await world.runner([Echo])
    const client = world.client()
    const job = await world.settled(client.enqueue(Echo, 'x'))
    expect(await world.settled(job.result())).toBe('x')
    expect(world.now).toBe(0)
    await world.settled(runner.stop())
    await world.close()
  })

  it('JOB-16 come by poll where all hints are dropped', async () => {
    const world = new World()
    world.hooks.silent = true
    await world.runner([Echo], { default: 1 }, { pollMs: 100 })
    const client = world.client({ pollMs: 700 })
    const job = await world.settled(client.enqueue(Echo, 'x'))
    expect(await world.settled(job.result(), 700)).toBe('x')
    await world.close()
  })

  it('of many waits make one read a poll, and a read that fails is made again', async () => {
    const world = new World()
    const client = world.client({ pollMs: 1_000 })
    const jobs = await world.settled(client.enqueueMany(Echo, ['a', 'b', 'c']))
    const results = Promise.all(jobs.map(job => job.result()))
    await world.settle()
    let reads = 0
    world.hooks.find = (call, ids) => {
      expect(ids).toHaveLength(3)
      return ++reads === 1 ? Promise.reject(new Error('not now')) : call()
    }
    await world.advance(1_500)
    expect(reads).toBe(1)
    delete world.hooks.find
    await world.runner([Echo])
    expect(await world.settled(results)).toEqual(['a', 'b', 'c'])
    await world.close()
  })

  it('of many waits are read 250 at a time, with a turn of the event loop in between, one look at a time', async () => {
    const world = new World()
    const client = world.client({ pollMs: 1_000 })
    const jobs = await world.settled(
      client.enqueueMany(
        Echo,
        Array.from({ length: 1_100 }, (_, n) => `${n}`),
      ),
    )
    const reads: { readonly turn: number; readonly count: number }[] = []
    let [turns, under, most] = [0, 0, 0]
    world.hooks.find = async (call, ids) => {
      world.simulation.clock.setTimer(0, () => void turns++)
      reads.push({ turn: turns, count: ids.length })
      most = Math.max(most, ++under)
      const found = await call()
      under--
      return found
    }
    const results = Promise.all(jobs.map(job => job.result()))
    await world.advance(0)
    expect(reads.map(({ count }) => count)).toEqual([250, 250, 250, 250, 100])
    expect(reads.map(({ turn }) => turn)).toEqual([0, 1, 2, 3, 4])
    reads.length = 0
    await world.advance(1_000)
    expect(reads.map(({ count }) => count)).toEqual([250, 250, 250, 250, 100])
    expect(most).toBe(1)
    delete world.hooks.find
    await world.runner([Echo], { default: 1_000 })
    expect((await world.settled(results)).slice(-2)).toEqual(['1098', '1099'])
    await world.close()
  })

  it('of hints that come during a look make one more look, and jobs that finish meanwhile are read first', async () => {
    const world = new World()
    const { store, hint } = withHints(world.store)
    const client = world.client({ store, pollMs: 1_000_000 })
    const jobs = await world.settled(
      client.enqueueMany(
        Echo,
        Array.from({ length: 600 }, (_, n) => `${n}`),
      ),
    )
    const results = jobs.map(job => code(job.result()))
    await world.advance(0)
    const reads: (readonly string[])[] = []
    const last = jobs[599]?.id ?? ''
    world.hooks.find = (call, ids) => {
      reads.push(ids)
      if (reads.length <= 2) for (let n = 0; n < 5; n++) hint({ type: 'changed' })
      if (reads.length === 1) hint({ type: 'finished', id: last, state: 'completed' })
      return call()
    }
    hint({ type: 'changed' })
    await world.advance(0)
    expect(reads.map(ids => ids.length)).toEqual([250, 250, 101, 250, 250, 100])
    expect(reads[1]?.[0]).toBe(last)
    expect(reads.flat().filter(each => each === jobs[0]?.id)).toHaveLength(2)
    await world.settled(client.close())
    expect(new Set(await world.settled(Promise.all(results)))).toEqual(new Set(['STOPPED']))
    await world.close()
  })

  it('F17 wait where the store fails for a time: told once in each row of failures', async () => {
    for (const failure of ['STORE_UNAVAILABLE', 'STORE_BUSY', 'STORE_FULL', 'STORE_READ_ONLY', 'STORE_FAILED'] as const) {
      const world = new World()
      const client = world.client({ pollMs: 100 })
      const job = await world.settled(client.enqueue(Echo, 'x'))
      const result = job.result()
      for (let row = 1; row <= 2; row++) {
        const mend = world.fail('find', failure)
        await world.advance(1_000)
        mend()
        await world.advance(100)
        const told = world.log.map(({ level, message, fields }) => [level, message, fields['code']])
        expect(told).toEqual(
          Array.from({ length: row }, () => [
            ['error', 'the store failed (result); it is tried again', failure],
            ['info', 'the store works again', undefined],
          ]).flat(),
        )
      }
      await world.runner([Echo])
      expect(await world.settled(result)).toBe('x')
      await world.close()
    }
  })

  it('are not waited for where what is wrong with the store does not pass', async () => {
    for (const failure of ['STORE_CORRUPT', 'SCHEMA_TOO_NEW', 'BAD_CONFIG'] as const) {
      const world = new World()
      const client = world.client()
      const jobs = await world.settled(
        client.enqueueMany(
          Echo,
          Array.from({ length: 300 }, () => 'x'),
        ),
      )
      const results = jobs.map(job => code(job.result()))
      await world.settle()
      world.fail('find', failure)
      expect(new Set(await world.settled(Promise.all(results)))).toEqual(new Set([failure]))
      await world.close()
    }
  })

  it('come although one part of the jobs cannot be read', async () => {
    const world = new World()
    const client = world.client({ pollMs: 100 })
    const jobs = await world.settled(
      client.enqueueMany(
        Echo,
        Array.from({ length: 600 }, () => 'x'),
      ),
    )
    const bad = jobs[0]?.id ?? ''
    world.hooks.find = (call, ids) => (ids.includes(bad) ? Promise.reject(new Error('not this one')) : call())
    const results = jobs.map(job => code(job.result()))
    await world.runner([Echo])
    expect(await world.settled(Promise.all(results.slice(250)))).toEqual(Array.from({ length: 350 }, () => 'resolved'))
    delete world.hooks.find
    expect(await world.settled(Promise.all(results))).toEqual(results.map(() => 'resolved'))
    await world.close()
  })

  it('come although a read was never answered', async () => {
    const world = new World()
    const client = world.client({ pollMs: 1_000 })
    const job = await world.settled(client.enqueue(Echo, 'x'))
    world.hooks.find = () => new Promise(() => {})
    const result = job.result()
    await world.advance(20_000)
    delete world.hooks.find
    await world.runner([Echo])
    await world.advance(20_000)
    expect(await world.settled(result, 0)).toBe('x')
    expect(world.lines('STORE_UNAVAILABLE')).toHaveLength(1)
    // Nor does it hold up the close
    world.hooks.find = () => new Promise(() => {})
    const other = code(client.result(id(1)))
    await world.settled(client.close())
    expect(await other).toBe('STOPPED')
    delete world.hooks.find
    await world.close()
  })

  it('are not waited for where the store cannot be opened', async () => {
    const world = new World()
    world.fail('open')
    const client = world.client()
    const before = code(client.result(id(1)))
    expect(await world.settled(before)).toBe('STORE_UNAVAILABLE')
    expect(await code(world.settled(client.result(id(1))))).toBe('STORE_UNAVAILABLE')
    await world.close()
  })

  it('timeoutMs and a signal count from the call, also where the store is not open yet', async () => {
    const world = new World()
    world.before('open', () => world.delay(60_000))
    const client = world.client()
    const controller = new AbortController()
    const reason = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)
    const timeout = code(client.result(id(1), { timeoutMs: 100 }))
    const aborted = reason(client.result(id(1), { signal: controller.signal }))
    const before = reason(client.result(id(1), { signal: AbortSignal.abort(new Error('before')) }))
    expect(await world.settled(before, 0)).toMatchObject({ message: 'before' })
    expect(await world.settled(timeout, 100)).toBe('TIMEOUT')
    controller.abort(new Error('enough'))
    expect(await world.settled(aborted, 0)).toMatchObject({ message: 'enough' })
    const closed = code(client.result(id(1)))
    const close = client.close()
    expect(await world.settled(closed, 0)).toBe('STOPPED')
    await world.settled(close)
    await world.close()
  })

  it('say how a job ended otherwise', async () => {
    const world = new World()
    const client = world.client()
    const Bad = kind('bad', {
      maxAttempts: 1,
      handler: () => {
        throw new RangeError('out of range')
      },
    })
    await world.runner([Bad])
    const failed = await world.settled(client.enqueue(Bad))
    const error: unknown = await world.settled(failed.result().catch((reason: unknown) => reason))
    expect(error).toMatchObject({ code: 'JOB_FAILED', job: failed.id, kind: 'bad', cause: { name: 'RangeError', message: 'out of range' } }) // prettier-ignore
    const cancelled = await world.settled(client.enqueue(Echo, 'x'))
    await world.settled(cancelled.cancel('enough'))
    expect(await code(world.settled(cancelled.result()))).toBe('JOB_CANCELLED')
    expect(await code(world.settled(client.result(id(99))))).toBe('JOB_REMOVED')
    const removed = await world.settled(client.enqueue(Echo, 'x'))
    const wait = code(removed.result())
    expect(await world.settled(client.remove(removed.id))).toBe('removed')
    expect(await world.settled(wait)).toBe('JOB_REMOVED')
    await world.close()
  })

  it('timeoutMs and a signal end the wait, not the job; no timer and no listener is left', async () => {
    const world = new World()
    const client = world.client()
    const job = await world.settled(client.enqueue(Echo, 'x'))
    const waits = [code(job.result({ timeoutMs: 50 })), code(client.result(job.id, { timeoutMs: 70 }))]
    expect(await world.settled(Promise.all(waits), 70)).toEqual(['TIMEOUT', 'TIMEOUT'])
    const controller = new AbortController()
    const wait = job.result({ signal: controller.signal }).catch((error: unknown) => error)
    await world.settle()
    controller.abort(new Error('enough'))
    expect(await world.settled(wait)).toMatchObject({ message: 'enough' })
    const at = job.result({ signal: AbortSignal.abort(new Error('before')) }).catch((error: unknown) => error)
    expect(await world.settled(at)).toMatchObject({ message: 'before' })
    expect(world.simulation.timers).toBe(0)
    expect(await world.state(job.id)).toBe('waiting')
    await world.close()
  })

  it('close ends all waits with STOPPED', async () => {
    const world = new World()
    const client = world.client()
    const job = await world.settled(client.enqueue(Echo, 'x'))
    const waits = [code(job.result()), code(job.result({ timeoutMs: 10_000 }))]
    await world.settle()
    await world.settled(client.close())
    expect(await world.settled(Promise.all([...waits, code(job.result())]))).toEqual(['STOPPED', 'STOPPED', 'STOPPED'])
    await world.close()
  })
})

describe('close', () => {
  it('finishes what was called before, also where the store is not open yet', async () => {
    for (const openMs of [0, 1_000]) {
      const world = new World()
      if (openMs > 0) world.before('open', () => world.delay(openMs))
      const client = world.client()
      const calls = [
        code(client.enqueue(Echo, 'x')),
        code(client.enqueueMany(Echo, ['a', 'b'])),
        code(client.find(id(1))),
        code(client.stats()),
        code(client.pauseQueue('other')),
      ]
      const closed = client.close()
      expect(await world.settled(Promise.all(calls))).toEqual(calls.map(() => 'resolved'))
      await world.settled(closed)
      const again = world.client()
      expect((await world.settled(again.list())).jobs).toHaveLength(3)
      await world.close()
    }
  })

  it('also where the args are checked by a promise; what is called afterwards is refused', async () => {
    const world = new World()
    const client = world.client()
    await client.ready
    const calls = [
      code(client.enqueue(Slow, 'x')),
      code(client.enqueueMany(Slow, ['a', 'b'])),
      code(client.enqueue(Slow, 'bad')),
      code(client.enqueueMany(Slow, ['a', 'bad'])),
    ]
    const closed = client.close()
    const late = [code(client.enqueue(Slow, 'x')), code(client.enqueueMany(Slow, ['x'])), code(client.enqueue(Slow, 'bad'))]
    expect(await world.settled(Promise.all(calls))).toEqual(['resolved', 'resolved', 'INVALID_ARGS', 'INVALID_ARGS'])
    expect(await world.settled(Promise.all(late))).toEqual(['STOPPED', 'STOPPED', 'STOPPED'])
    await world.settled(closed)
    expect((await world.settled(world.client().list())).jobs).toHaveLength(3)
    await world.close()
  })

  it('a wait for a result that began just before is ended too', async () => {
    for (const openMs of [0, 1_000]) {
      const world = new World()
      if (openMs > 0) world.before('open', () => world.delay(openMs))
      const client = world.client()
      const job = client.enqueue(Echo, 'x')
      const wait = job.then(handle => code(handle.result()))
      const other = code(client.result(id(1)))
      await world.settled(client.close())
      expect(await world.settled(Promise.all([wait, other]), 0)).toEqual([
        'STOPPED',
        expect.stringMatching(/STOPPED|JOB_REMOVED/),
      ])
      await world.close()
    }
  })

  it('a store shared by clients and runners is closed by the last, and can be opened again', async () => {
    const world = new World()
    let opens = 0
    let closes = 0
    world.before('open', () => void opens++)
    world.before('close', () => void closes++)
    const [a, b] = [world.client(), world.client()]
    const runner = await world.runner([Echo])
    await world.settled(Promise.all([a.close(), a.close(), runner.stop()]))
    expect([opens, closes]).toEqual([1, 0])
    const job = await world.settled(b.enqueue(Echo, 'x'))
    await world.settled(b.close())
    expect([opens, closes]).toEqual([1, 1])
    await world.runner([Echo])
    expect(opens).toBe(2)
    expect(await world.settled(world.client().result(job.id))).toBe('x')
    await world.close()
  })

  it('after an opening that failed, another one may do better', async () => {
    const world = new World()
    const mend = world.fail('open')
    const client = world.client()
    expect(await code(world.settled(client.ready))).toBe('STORE_UNAVAILABLE')
    expect(await code(world.settled(client.enqueue(Echo, 'x')))).toBe('STORE_UNAVAILABLE')
    await world.settled(client.close())
    mend()
    expect(await code(world.settled(world.client().enqueue(Echo, 'x')))).toBe('resolved')
    await world.close()
  })
})

describe('looking and changing', () => {
  it('the handle of a duplicate is in the queue of the job that was there', async () => {
    const world = new World()
    const client = world.client()
    const unique = { key: 'k' }
    const first = await world.settled(client.enqueue(Echo, 'x', { queue: 'mail', unique }))
    const again = await world.settled(client.enqueue(Echo, 'x', { queue: 'other', unique }))
    expect([again.id, again.outcome, again.queue]).toEqual([first.id, 'duplicate', 'mail'])
    await world.close()
  })

  it('finds, lists, reschedules, runs now, retries, removes', async () => {
    const world = new World()
    const client = world.client()
    const job = await world.settled(client.enqueue(Echo, 'x', { delayMs: 60_000, tags: ['a'] }))
    expect(await world.settled(job.find())).toMatchObject({ state: 'delayed', args: 'x', tags: ['a'], kind: 'echo' })
    expect(await world.settled(client.reschedule(job.id, { delayMs: 120_000 }))).toBe('rescheduled')
    const at = new Date(world.simulation.clock.wallTime() + 30_000)
    expect(await world.settled(client.reschedule(job.id, { runAt: at }))).toBe('rescheduled')
    expect((await world.settled(job.find()))?.runAt).toBe(at.getTime())
    expect(await world.settled(client.runNow(job.id))).toBe('rescheduled')
    expect(await world.settled(client.queueDepths())).toEqual({ default: 1 })
    expect(await world.settled(client.cancel(job.id))).toBe('cancelled')
    expect(await world.settled(client.runNow(job.id))).toBe('finished')
    expect(await world.settled(client.retry(job.id))).toBe('retried')
    expect(await world.settled(client.retry(job.id))).toBe('active')
    expect((await world.settled(client.list({ tag: 'a', states: ['waiting'] }))).jobs).toHaveLength(1)
    expect((await world.settled(client.list(Echo, { tag: 'a' }))).jobs.map(({ args }) => args.length)).toEqual([1])
    expect((await world.settled(client.list(kind('other')))).jobs).toEqual([])
    expect(await world.settled(client.clearQueue('default'))).toBe(1)
    expect(await world.settled(client.find(job.id))).toBeUndefined()
    expect(await world.settled(client.remove(job.id))).toBe('missing')
    await world.settled(client.removeQueue('default'))
    expect(await world.settled(client.queueDepths())).toEqual({})
    await world.close()
  })
})
