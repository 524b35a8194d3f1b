import { describe, expect, it } from 'vitest'
import { cancel, discard, fixed, type JobContext, type JobsError, kind, type Middleware, retry, snooze } from '../../src/index.ts'
import { World } from '../support/world.ts'

/** Runs one job of a kind with that handler, for so many milliseconds, and reads it. */
async function ranOnce(
  handler: (world: World, job: JobContext) => unknown,
  options: { readonly maxAttempts?: number; readonly timeoutMs?: number; readonly ms?: number; middleware?: Middleware[] } = {},
) {
  const { ms = 0, middleware = [], ...own } = options
  const world = new World()
  const Work = kind('work', { backoff: fixed(1_000), handler: (_: void, job) => handler(world, job), ...own })
  const runner = await world.runner([Work], { default: 2 }, { middleware, abandonMs: 50 })
  const { id } = await world.settled(runner.enqueue(Work))
  await world.advance(ms)
  const job = await world.settled(runner.find(id))
  if (job === undefined) throw new Error('the job has vanished')
  return { world, runner, job, Work }
}

describe('what a handler returns', () => {
  it.each([
    ['a value', () => ({ n: 1 }), { n: 1 }],
    ['nothing', () => {}, undefined],
    ['null', () => null, null],
    ['a promise', async () => [1, 2], [1, 2]],
    ['a thenable', () => ({ then: (resolve: (value: string) => void) => resolve('thenable') }), 'thenable'],
    ['something called then that is no function', () => ({ then: 1 }), { then: 1 }],
  ])('%s is the result', async (_, handler, result) => {
    const { job, world } = await ranOnce(handler)
    expect([job.state, job.result, job.attempt]).toEqual(['completed', result, 1])
    expect(world.told('started', 'completed').map(({ name }) => name)).toEqual(['started', 'completed'])
    await world.close()
  })

  it.each([
    ['a class instance', () => new Date(0), 'BAD_PAYLOAD', /Date/],
    ['a cycle', () => [].concat(selfish() as never), 'BAD_PAYLOAD', /contains itself/],
    ['too much', () => 'x'.repeat(300_000), 'PAYLOAD_TOO_LARGE', /longer than/],
    ['something that throws when it is read', () => ({ get a() { throw new Error('no') } }), 'BAD_PAYLOAD', /cannot be read/], // prettier-ignore
  ])('%s cannot be kept: the job has failed, and is not tried again', async (_, handler, code, message) => {
    const { job, world } = await ranOnce(handler)
    expect([job.state, job.attempt, job.error?.code]).toEqual(['failed', 1, code])
    expect(job.error?.message).toMatch(message)
    await world.close()
  })

  it('a thenable that throws is a failed attempt', async () => {
    const { job, world } = await ranOnce(() => ({
      then() {
        throw new Error('no promise')
      },
    }))
    expect([job.state, job.error?.message]).toEqual(['delayed', 'no promise'])
    await world.close()
  })

  it('a thenable that settles twice, and then throws, is settled once', async () => {
    const { job, world } = await ranOnce(() => ({
      then(resolve: (value: string) => void, reject: (error: unknown) => void) {
        resolve('first')
        resolve('second')
        reject(new Error('third'))
        throw new Error('fourth')
      },
    }))
    expect([job.state, job.result]).toEqual(['completed', 'first'])
    await world.close()
  })

  it('something whose `then` throws when it is read is a failed attempt', async () => {
    const { job, world } = await ranOnce(() => ({
      get then() {
        throw new Error('do not look')
      },
    }))
    expect([job.state, job.error?.message]).toEqual(['delayed', 'do not look'])
    await world.close()
  })
})

/** Something that throws whatever is done with it. */
function untouchable(): Error {
  const { proxy, revoke } = Proxy.revocable(new Error('never read'), {})
  revoke()
  return proxy
}

describe('what must not be looked at', () => {
  it.each([
    ['thrown', () => { throw untouchable() }], // prettier-ignore
    ['rejected with', () => Promise.reject(untouchable())],
    ['returned', () => untouchable()],
    ['resolved with', async () => [untouchable()]],
  ])('F12 %s: the attempt has failed, its place is free', async (_, handler) => {
    const { job, runner, world } = await ranOnce(handler as () => unknown)
    expect(['delayed', 'failed']).toContain(job.state)
    expect([job.attempt, runner.queue('default').running]).toEqual([1, 0])
    await world.close()
  })
})

describe('log', () => {
  it('BAD_OPTION refuses a level that is none, so that it spoils no other job’s lines', async () => {
    const { job, runner, world } = await ranOnce((_, { log }) => {
      log('fine', 'warn')
      log('not fine', { user: 1 } as never)
    })
    expect(job.error).toMatchObject({ code: 'BAD_OPTION' })
    expect(job.error?.message).toContain("log: level must be one of 'debug', 'info', 'warn', 'error', not")
    expect((await world.settled(runner.logs(job.id))).map(({ level, message }) => [level, message])).toEqual([['warn', 'fine']])
    await world.close()
  })

  it('F3 what cannot be written is given up, and that is said', async () => {
    const world = new World()
    world.fail('report')
    const runner = await world.runner([kind('work', (_: void, { log }) => log('x'))])
    const job = await world.settled(runner.enqueue('work'))
    await world.settled(job.result())
    expect(world.log.map(({ message }) => message)).toContain('the store failed (report); what was reported is given up')
    await world.close()
  })
})

describe('args of a newer version', () => {
  it('wait for a newer release: no attempt is counted, and the log tells it once for each kind and version', async () => {
    const world = new World()
    const Newer = kind<string>('work', { version: 3, upgrade: args => args })
    const Older = kind('work', { version: 2, upgrade: args => args, handler: (_: string) => {} })
    const client = world.client()
    const jobs = await world.settled(client.enqueueMany(Newer, ['a', 'b']))
    await world.runner([Older])
    await world.advance(200_000)
    for (const { id } of jobs) expect(await world.settled(client.find(id))).toMatchObject({ state: 'delayed', attempt: 0 })
    const lines = world.lines('VERSION_TOO_NEW')
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringMatching(/version 3, known here is 2; .* looked at again every 60000 ms$/)],
    ])
    await world.close()
  })

  it('is nothing that a handler can claim: an error of its own with that code is a failed attempt', async () => {
    const error = Object.assign(new Error('mine'), { code: 'VERSION_TOO_NEW' })
    const { job, world } = await ranOnce(() => Promise.reject(error), { maxAttempts: 1 })
    expect([job.state, job.attempt, job.error?.code]).toEqual(['failed', 1, 'VERSION_TOO_NEW'])
    await world.close()
  })
})

describe('a cancellation that comes while an attempt fails', () => {
  it.each([
    ['throws', () => { throw new Error('x') }], // prettier-ignore
    ['snoozes', () => snooze(1_000)],
  ])('JOB-5 the job is cancelled, and told as that, where the handler %s', async (_, end) => {
    const world = new World()
    world.hooks.cancellations = () => Promise.resolve([])
    const Work = kind('work', async () => {
      await world.delay(100)
      return (end as () => unknown)()
    })
    const runner = await world.runner([Work])
    const { id } = await world.settled(runner.enqueue(Work))
    await world.advance(50)
    expect(await world.settled(world.client().cancel(id, 'too late'))).toBe('requested')
    await world.advance(1_000)
    expect(await world.state(id)).toBe('cancelled')
    expect(world.told('failed', 'snoozed', 'cancelled').map(({ name, event }) => [name, event])).toEqual([
      ['cancelled', expect.objectContaining({ id, reason: 'too late' })],
    ])
    await world.close()
  })

  it('reaches the handler at once, also where the answer to its claim is still on its way', async () => {
    const world = new World()
    let aborted: unknown
    const Work = kind('work', (_: void, { signal }) => {
      signal.addEventListener('abort', () => (aborted = [world.now, (signal.reason as JobsError).code]))
      return new Promise(() => {})
    })
    world.hooks.claim = async (call, request) => {
      const answer = await call()
      if (answer.jobs.length > 0) await world.delay(500)
      return request.limit > 0 ? answer : answer
    }
    const runner = await world.runner([Work], { default: 1 }, { abandonMs: 10 })
    const { id } = await world.settled(runner.enqueue(Work))
    await world.advance(100)
    expect(await world.settled(runner.cancel(id))).toBe('requested')
    await world.advance(450)
    expect(await world.state(id)).toBe('cancelled')
    expect(aborted).toBeUndefined() // it never began
    await world.close()
  })
})

describe('outcomes', () => {
  it('retry says when, and uses an attempt', async () => {
    const { job, world } = await ranOnce(() => retry({ inMs: 5_000, error: new TypeError('slow down') }))
    expect([job.state, job.attempt, job.error?.message, job.runAt - job.enqueuedAt]).toEqual(['delayed', 1, 'slow down', 5_000])
    expect(world.told('failed')[0]?.event).toMatchObject({ state: 'delayed', retryInMs: 5_000, failure: { name: 'TypeError' } })
    await world.close()
  })

  it('retry without a time waits as the back-off says; with the last attempt the job has failed', async () => {
    const { job, world, runner } = await ranOnce(() => retry(), { maxAttempts: 2 })
    expect([job.state, job.runAt - job.enqueuedAt]).toEqual(['delayed', 1_000])
    await world.advance(1_000)
    expect(await world.settled(runner.find(job.id))).toMatchObject({ state: 'failed', attempt: 2 })
    expect(world.told('failed').map(({ event }) => (event as { state: string }).state)).toEqual(['delayed', 'failed'])
    await world.close()
  })

  it('retry at once waits, and is told so', async () => {
    let runs = 0
    const { job, world } = await ranOnce(() => (++runs < 3 ? retry({ inMs: 0 }) : runs))
    expect([job.state, job.result]).toEqual(['completed', 3])
    expect(world.told('failed').map(({ event }) => (event as { state: string }).state)).toEqual(['waiting', 'waiting'])
    await world.close()
  })

  it('snooze uses no attempt', async () => {
    let runs = 0
    const { job, world, runner } = await ranOnce(() => (++runs < 10 ? snooze(100) : runs), { maxAttempts: 1 })
    expect([job.state, job.attempt]).toEqual(['delayed', 0])
    await world.advance(1_000)
    expect(await world.settled(runner.find(job.id))).toMatchObject({ state: 'completed', result: 10, attempt: 1 })
    expect(world.told('snoozed')).toHaveLength(9)
    await world.close()
  })

  it('discard and cancel end the job', async () => {
    const discarded = await ranOnce(() => discard('no such user'))
    expect(discarded.job).toMatchObject({ state: 'discarded', error: { message: 'no such user' }, attempt: 1 })
    expect(discarded.world.told('discarded')[0]?.event).toMatchObject({ failure: { message: 'no such user' } })
    const cancelled = await ranOnce(() => cancel('withdrawn'))
    expect(cancelled.job).toMatchObject({ state: 'cancelled', cancelReason: 'withdrawn' })
    expect(cancelled.world.told('cancelled')[0]?.event).toMatchObject({ reason: 'withdrawn' })
    await discarded.world.close()
    await cancelled.world.close()
  })
})

describe('what a handler throws', () => {
  const cyclic = Object.assign(new Error('cyclic'), { cause: undefined as unknown })
  cyclic.cause = cyclic
  it.each([
    ['an error', new RangeError('x'), 'RangeError', 'x'],
    ['text', 'just text', 'NonError', 'just text'],
    ['undefined', undefined, 'NonError', 'undefined was thrown'],
    ['null', null, 'NonError', 'null was thrown'],
    ['a frozen object', Object.freeze({ a: 1 }), 'NonError', 'an object was thrown, with a'],
    ['a cyclic error', cyclic, 'Error', 'cyclic'],
    ['an error whose message cannot be read', unreadable(), 'Error', 'an error whose message cannot be read'],
    ['a promise that never settles', new Promise(() => {}), 'NonError', 'an object was thrown'],
  ])('F12 %s: the attempt has failed, and the runner lives', async (_, thrown, name, message) => {
    const { job, world, runner, Work } = await ranOnce(() => Promise.reject(thrown as Error))
    expect([job.state, job.error?.name, job.error?.message]).toEqual(['delayed', name, message])
    await world.settled(runner.enqueue(Work))
    await world.close()
  })

  it('F12 a message of 10 MB is cut', async () => {
    const { job, world } = await ranOnce(async () => {
      throw new Error('x'.repeat(10_000_000))
    })
    expect(job.error?.message.length).toBeLessThanOrEqual(4 * 1024)
    expect(JSON.stringify(job.history).length).toBeLessThan(20_000)
    await world.close()
  })

  it('BAD-97 a back-off that throws or answers nonsense: the default is used, and a line is written', async () => {
    for (const backoff of [
      () => Number.NaN,
      () => {
        throw new Error('no')
      },
      () => -1,
      async () => 5,
    ]) {
      // prettier-ignore
      const world = new World()
      const Work = kind('work', {
        backoff: backoff as () => number,
        handler: () => {
          throw new Error('x')
        },
      })
      const runner = await world.runner([Work])
      const { id } = await world.settled(runner.enqueue(Work))
      await world.advance(0)
      const job = await world.settled(runner.find(id))
      expect(job?.state).toBe('delayed')
      expect((job?.runAt ?? 0) - (job?.enqueuedAt ?? 0)).toBeGreaterThan(0)
      expect(world.log.filter(({ fields }) => fields['code'] === 'BAD_OPTION')).toHaveLength(1)
      await world.close()
    }
  })
})

describe('a handler that is cut short', () => {
  /** Takes its time, and throws the reason when it is told to end. */
  const obedient =
    (ms: number) =>
    async (world: World, { signal }: JobContext) => {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        void world.delay(ms).then(resolve)
      })
      return 'done'
    }

  it('by its timeout: JOB_TIMEOUT, an attempt is used', async () => {
    const { job, world } = await ranOnce(obedient(1_000), { timeoutMs: 200, ms: 210 })
    expect([job.state, job.attempt, job.error?.code]).toEqual(['delayed', 1, 'JOB_TIMEOUT'])
    expect(world.told('failed')[0]?.event).toMatchObject({ durationMs: 200 })
    await world.close()
  })

  it('by a cancellation: within the turn it reaches the handler, and the reason is kept', async () => {
    const { job, world, runner } = await ranOnce(obedient(10_000), { ms: 100 })
    const { now } = world
    expect(await world.settled(runner.cancel(job.id, 'not needed'))).toBe('requested')
    await world.settle()
    expect(await world.settled(runner.find(job.id))).toMatchObject({ state: 'cancelled', cancelReason: 'not needed' })
    expect(world.now).toBe(now)
    await world.close()
  })

  it('has done its work if it returns all the same', async () => {
    const { job, world } = await ranOnce(
      async (world, { signal }) => {
        await world.delay(220)
        return signal.aborted
      },
      { timeoutMs: 200, ms: 300 },
    )
    expect([job.state, job.result]).toEqual(['completed', true])
    await world.close()
  })

  it('F11 and never ends: HANDLER_STUCK, its place goes to others, what it brings later counts for nothing', async () => {
    let end = (_: string): void => {}
    let runs = 0
    const { job, world, runner } = await ranOnce(
      () => (++runs === 1 ? new Promise(resolve => (end = resolve)) : 'second attempt'),
      { timeoutMs: 100, ms: 150 },
    )
    expect([job.state, job.error?.code]).toEqual(['delayed', 'JOB_TIMEOUT'])
    expect(world.told('stuck')).toHaveLength(1)
    expect(world.log.filter(({ fields }) => fields['code'] === 'HANDLER_STUCK')).toHaveLength(1)
    expect(runner.queue('default').running).toBe(0)
    end('late')
    await world.advance(2_000)
    expect(await world.settled(runner.find(job.id))).toMatchObject({ state: 'completed', result: 'second attempt' })
    expect(world.told('completed')).toHaveLength(1)
    await world.close()
  })

  it('F11 by a stop that it ignores: it is given back with no attempt used, and stop ends', async () => {
    const { job, world, runner } = await ranOnce(() => new Promise(() => {}))
    await world.settled(runner.stop({ graceMs: 100 }), 150)
    expect(world.told('stuck')).toHaveLength(1)
    expect((await world.settled(world.client().find(job.id)))?.state).toBe('waiting')
    await world.close()
  })

  it('its signal is aborted also where it is first read after the cut, with a reason that says why', async () => {
    const reasons: unknown[] = []
    const { world } = await ranOnce(
      async (world, job) => {
        await world.delay(120)
        reasons.push((job.signal.reason as JobsError).code, job.signal === job.signal, job.stopping.aborted)
      },
      { timeoutMs: 100, ms: 130 },
    )
    expect(reasons).toEqual(['JOB_TIMEOUT', true, false])
    await world.close()
  })
})

describe('the context', () => {
  it('can be taken apart', async () => {
    const { job, world, runner } = await ranOnce((_, { id, kind: name, queue, attempt, maxAttempts, progress, log, logger }) => {
      progress({ half: true })
      log('a line')
      log('another', 'warn')
      logger.info('for the process')
      return [id, name, queue, attempt, maxAttempts]
    })
    expect(job.result).toEqual([job.id, 'work', 'default', 1, 3])
    expect(job.progress).toEqual({ half: true })
    expect((await world.settled(runner.logs(job.id))).map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info a line',
      'warn another',
    ])
    expect(world.log.some(({ message }) => message === 'for the process')).toBe(true)
    await world.close()
  })

  it('refuses progress that JSON would change, at the call', async () => {
    const { job, world } = await ranOnce((_, { progress }) => progress(new Map()))
    expect(job.error?.code).toBe('BAD_PAYLOAD')
    await world.close()
  })

  it('a log line of any length and any text is kept as far as a store can hold it', async () => {
    const { job, world, runner } = await ranOnce((_, { log }) => {
      log('x'.repeat(1_000_000))
      log('half \uD800 and \0')
    })
    const [long, odd] = await world.settled(runner.logs(job.id))
    expect(long?.message.length).toBeLessThanOrEqual(4 * 1024)
    expect(odd?.message).toBe('half \uFFFD and \uFFFD')
    await world.close()
  })

  it('says nothing more for its job once the attempt is over', async () => {
    let late = (): void => {}
    const { job, world, runner } = await ranOnce((_, { progress, log }) => {
      late = () => {
        progress('late')
        log('late')
      }
    })
    late()
    await world.advance(1_000)
    expect((await world.settled(runner.find(job.id)))?.progress).toBeUndefined()
    expect(await world.settled(runner.logs(job.id))).toEqual([])
    await world.close()
  })

  it('gives the progress of the attempt before', async () => {
    const { job, world, runner } = await ranOnce((_, { attempt, lastProgress, progress }) => {
      if (attempt > 1) return lastProgress
      progress(7)
      throw new Error('once')
    })
    await world.advance(1_000)
    expect((await world.settled(runner.find(job.id)))?.result).toBe(7)
    await world.close()
  })
})

describe('middleware', () => {
  it('BAD_OPTION that calls next twice runs the handler once, and the attempt has failed', async () => {
    let runs = 0
    const twice: Middleware = async (_, next) => {
      await next()
      return next()
    }
    const { job, world } = await ranOnce(() => ++runs, { middleware: [async (_, next) => next(), twice] })
    expect([runs, job.state, job.error?.code]).toEqual([1, 'delayed', 'BAD_OPTION'])
    expect(job.error?.message).toBe('middleware[1]: next must be called at most once')
    await world.close()
  })

  it('is wrapped around the handler, the first outermost; it sees the args, and may change the result', async () => {
    const seen: string[] = []
    const wrap =
      (name: string): Middleware =>
      async ({ args, kind: of }, next) => {
        seen.push(`${name} before ${of} ${String(args)}`)
        const result = await next()
        seen.push(`${name} after`)
        return `${name}(${String(result)})`
      }
    const { job, world } = await ranOnce(() => 'x', { middleware: [wrap('a'), wrap('b')] })
    expect(job.result).toBe('a(b(x))')
    expect(seen).toEqual(['a before work undefined', 'b before work undefined', 'b after', 'a after'])
    await world.close()
  })

  it('what it throws is the failure of the attempt; it need not call the handler', async () => {
    const first = await ranOnce(() => 'x', {
      middleware: [
        () => {
          throw new Error('sync')
        },
      ],
    })
    expect(first.job.error?.message).toBe('sync')
    let runs = 0
    const second = await ranOnce(() => ++runs, { middleware: [async () => discard('not today')] })
    expect([second.job.state, runs]).toEqual(['discarded', 0])
    await first.world.close()
    await second.world.close()
  })

  it('F43 one that never settles is a handler that never settles', async () => {
    const { job, world } = await ranOnce(() => 'x', { middleware: [() => new Promise(() => {})], timeoutMs: 100, ms: 200 })
    expect([job.state, job.error?.code]).toEqual(['delayed', 'JOB_TIMEOUT'])
    await world.close()
  })
})

describe('args that cannot be read', () => {
  it('of a newer version wait for a newer release, and use no attempt', async () => {
    const world = new World()
    const v2 = kind('work', { version: 2, upgrade: args => args })
    const Work = kind('work', (args: unknown) => args)
    const runner = await world.runner([Work])
    const { id } = await world.settled(runner.enqueue(v2.handledBy(() => {}) as typeof Work, 1))
    await world.advance(130_000)
    const job = await world.settled(runner.find(id))
    expect([job?.state, job?.attempt, job?.history.length]).toEqual(['delayed', 0, 3])
    await world.close()
  })
})

function selfish(): unknown {
  const cycle: unknown[] = []
  cycle.push(cycle)
  return cycle
}

function unreadable(): Error {
  const error = new Error('x')
  Object.defineProperty(error, 'message', {
    get() {
      throw new Error('no')
    },
  })
  return error
}
