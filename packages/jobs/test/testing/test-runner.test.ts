import { cancel, discard, kind, retry, snooze } from '@genstage/jobs'
import { generatedKinds, generateJobs, testRunner } from '@genstage/jobs/testing'
import { describe, expect, it } from 'vitest'

const Greet = kind('greet', ({ name }: { readonly name: string }) => `Hello, ${name}!`)

describe('testRunner, manual', () => {
  it('runs nothing by itself, then what is next, in the order of priority and time', async () => {
    const runner = testRunner({ kinds: [Greet] })
    await runner.enqueue(Greet, { name: 'late' }, { priority: 5 })
    await runner.enqueue(Greet, { name: 'first' }, { queue: 'other', priority: -1 })
    await runner.enqueue(Greet, { name: 'second' })
    expect(runner.ran).toEqual([])
    const results: unknown[] = []
    for (let ran = await runner.runNext(); ran !== undefined; ran = await runner.runNext()) results.push(ran.result)
    expect(results).toEqual(['Hello, first!', 'Hello, second!', 'Hello, late!'])
    expect(runner.ran.map(({ job }) => [job.state, job.attempt])).toEqual([1, 2, 3].map(() => ['completed', 1]))
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('ROW-G4 keeps what is not due for later, and moves the clock when it is told to', async () => {
    const runner = testRunner({ kinds: [Greet], now: new Date('2024-02-29T12:00:00Z') })
    const job = await runner.enqueue(Greet, { name: 'Ada' }, { delayMs: 1_000 })
    expect(await runner.runNext()).toBeUndefined()
    await runner.advance(999)
    expect(await runner.runNext()).toBeUndefined()
    await runner.advance(1)
    expect((await runner.runNext())?.job).toMatchObject({ id: job.id, runAt: Date.parse('2024-02-29T12:00:01Z') })
    await runner.close()
  })

  it('runs a job that is named, and leaves those before it in their places', async () => {
    const runner = testRunner({ kinds: [Greet] })
    await runner.enqueueMany(Greet, [{ name: 'a' }, { name: 'b' }])
    const { id } = await runner.enqueue(Greet, { name: 'c' }, { delayMs: 50 })
    expect((await runner.run(id)).result).toBe('Hello, c!')
    await expect(runner.run(id)).rejects.toMatchObject({ code: 'UNKNOWN_JOB' })
    expect((await runner.enqueued()).map(job => [job.args, job.attempt])).toEqual([
      [{ name: 'a' }, 0],
      [{ name: 'b' }, 0],
    ])
    await runner.close()
  })

  it('drains with retries, snoozes and all other outcomes, and counts them', async () => {
    const outcomes = [retry({ inMs: 60_000 }), snooze(1_000), discard('no'), cancel('never mind'), 'done']
    const Any = kind('any', {
      maxAttempts: 2,
      handler: ({ nth }: { readonly nth: number }, { attempt }) => {
        if (nth === 5) throw new TypeError('always')
        const outcome = outcomes[nth]
        return attempt === 1 && runs.add(nth).size >= 0 && !again.has(nth) && again.add(nth) ? outcome : 'again'
      },
    })
    const runs = new Set<number>()
    const again = new Set<number>()
    const runner = testRunner({ kinds: [Any] })
    await runner.enqueueMany(
      Any,
      [0, 1, 2, 3, 4, 5].map(nth => ({ nth })),
    )
    const due = await runner.drain()
    expect(due).toEqual({ completed: 1, failed: 0, discarded: 1, cancelled: 1, retry: 2, snooze: 1, release: 0 })
    expect(await runner.drain({ withDelayed: true })).toMatchObject({ completed: 2, failed: 1 })
    expect(runner.ran.at(-1)?.job.state).toBe('completed')
    expect(runner.ran.find(({ to }) => to === 'failed')?.error).toMatchObject({ name: 'TypeError', message: 'always' })
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('drains the jobs that jobs enqueue, of one queue alone if it is named', async () => {
    const Countdown = kind('countdown', async ({ from }: { readonly from: number }, job) => {
      if (from > 0) await job.client.enqueue('countdown', { from: from - 1 }, { queue: from % 2 === 0 ? 'even' : 'odd' })
    })
    const runner = testRunner({ kinds: [Countdown] })
    await runner.enqueue(Countdown, { from: 4 }, { queue: 'even' })
    expect((await runner.drain({ queue: 'even' })).completed).toBe(2)
    await runner.assertEnqueued(Countdown, { from: 2 }, { queue: 'odd', count: 1 })
    expect((await runner.drain()).completed).toBe(3)
    await runner.close()
  })

  it('says so when there is no end', async () => {
    const Forever = kind('forever', () => snooze(1))
    const runner = testRunner({ kinds: [Forever] })
    await runner.enqueue(Forever)
    await expect(runner.drain({ withDelayed: true, limit: 20 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'drain: there is no end to it: after 20 attempts (limit) another one was due',
    })
    await runner.close()
    const inline = testRunner({ kinds: [Forever], mode: 'inline' })
    await expect(inline.enqueue(Forever)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('has no end: 1000 attempts') as string,
    })
    await inline.close()
  })

  it('counts attempts for the limit, not looks at the clock, and takes only a whole number for it', async () => {
    const runner = testRunner({ kinds: [Greet] })
    for (let minute = 1; minute <= 20; minute++) await runner.enqueue(Greet, { name: 'x' }, { delayMs: minute * 60_000 })
    expect((await runner.drain({ withDelayed: true, limit: 20 })).completed).toBe(20)
    for (const limit of [0, 1.5, Number.NaN])
      await expect(runner.drain({ limit })).rejects.toMatchObject({ code: 'BAD_OPTION', option: 'limit' })
    await runner.close()
  })

  it('runs a job after a month, which is longer than timers of the platform can wait', async () => {
    const month = 30 * 86_400_000
    const runner = testRunner({ kinds: [Greet] })
    const { runAt } = (await (await runner.enqueue(Greet, { name: 'Ada' }, { delayMs: month })).find()) ?? {}
    expect(runAt).toBe(runner.clock.wallTime() + month)
    const job = await runner.enqueue(Greet, { name: 'Bob' }, { throttle: { key: 'k', ms: month } })
    await runner.run(job.id)
    await runner.advance(month - 1)
    expect(await runner.runNext()).toBeUndefined()
    expect((await runner.enqueue(Greet, { name: 'Bob' }, { throttle: { key: 'k', ms: month } })).outcome).toBe('duplicate')
    await runner.advance(1)
    expect((await runner.runNext())?.result).toBe('Hello, Ada!')
    expect((await runner.enqueue(Greet, { name: 'Bob' }, { throttle: { key: 'k', ms: month } })).outcome).toBe('inserted')
    await runner.close()
  })

  it('knows kinds without a handler, whose jobs wait', async () => {
    const Mail = kind<{ readonly to: string }>('mail')
    const runner = testRunner({ kinds: [Mail] })
    const { id } = await runner.enqueue(Mail, { to: 'Ada' }, { delayMs: 1_000 })
    await runner.assertEnqueued(Mail, { to: 'Ada' }, { delayMs: 1_000 })
    const now = runner.clock.now()
    await expect(runner.run(id)).rejects.toMatchObject({
      code: 'UNKNOWN_JOB',
      message: `job ${id} cannot run: kind "mail" has no handler here`,
    })
    expect(runner.clock.now()).toBe(now)
    expect((await runner.drain({ withDelayed: true })).completed).toBe(0)
    await runner.advance(1_000)
    expect(await runner.runNext()).toBeUndefined()
    expect((await runner.find(id))?.state).toBe('waiting')
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('says of a job whose queue is paused that it cannot run', async () => {
    const runner = testRunner({ kinds: [Greet] })
    const { id } = await runner.enqueue(Greet, { name: 'Ada' })
    await runner.pauseQueue('default')
    await expect(runner.run(id)).rejects.toThrow(`job ${id} cannot run: queue "default" is paused`)
    await runner.close()
  })

  it('runs jobs that are named at the same time', async () => {
    const runner = testRunner({ kinds: [Greet] })
    const jobs = await runner.enqueueMany(
      Greet,
      ['a', 'b', 'c'].map(name => ({ name })),
    )
    const [next, ...named] = await Promise.all([runner.runNext(), ...jobs.slice(1).map(({ id }) => runner.run(id))])
    expect([next, ...named].map(ran => ran?.result)).toEqual(['Hello, a!', 'Hello, b!', 'Hello, c!'])
    await runner.close()
  })

  it('F11 times out when the clock passes the timeout, and cancels what runs', async () => {
    const Wait = kind('wait', {
      timeoutMs: 500,
      maxAttempts: 1,
      handler: (_: undefined, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    const runner = testRunner({ kinds: [Wait] })
    await runner.enqueue(Wait, undefined)
    const running = runner.runNext()
    await runner.advance(500)
    expect((await running)?.error).toMatchObject({ code: 'JOB_TIMEOUT' })
    const { id } = await runner.enqueue(Wait, undefined)
    const cancelled = runner.runNext()
    await runner.advance(1)
    expect(await runner.cancel(id, 'not now')).toBe('requested')
    expect((await cancelled)?.job).toMatchObject({ state: 'cancelled', cancelReason: 'not now' })
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('keeps progress and logs, and calls the middleware', async () => {
    const seen: string[] = []
    const Work = kind('work', (_: undefined, job) => {
      job.progress({ half: true })
      job.log('in the middle')
      return 1
    })
    const runner = testRunner({
      kinds: [Work],
      middleware: [
        async (job, next) => {
          seen.push(`before ${job.kind}`)
          return next()
        },
      ],
    })
    const { id } = await runner.enqueue(Work, undefined)
    expect((await runner.runNext())?.job.progress).toEqual({ half: true })
    expect((await runner.logs(id)).map(({ message }) => message)).toEqual(['in the middle'])
    expect(seen).toEqual(['before work'])
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('rejects its close when a handler still runs', async () => {
    const Never = kind('never', () => new Promise(() => {}))
    const runner = testRunner({ kinds: [Never] })
    await runner.enqueue(Never)
    void runner.runNext()
    await runner.advance(0)
    await expect(runner.close()).rejects.toThrow('handlers still ran at the end: never')
    expect(runner.clock.pending).toBe(0)
  })

  it.each([
    [{ kinds: [Greet], mode: 'later' }, 'mode'],
    [{ kinds: [Greet], now: new Date(Number.NaN) }, 'now'],
    [{ kinds: [Greet], seed: -1 }, 'seed'],
    [{ kinds: [Greet], sead: 1 }, 'seed'],
    [{ kinds: [] }, 'kinds'],
    [{}, 'kinds'],
    [{ kinds: 5 }, 'kinds'],
    [{ kinds: [Greet, Greet] }, 'kinds[1]'],
    [{ kinds: [Greet], middleware: [5] }, 'middleware[0]'],
  ])('BAD-19 refuses %j, in its own name', (options, name) => {
    // @ts-expect-error: what is refused is refused by the types too
    expect(() => testRunner(options)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(/^testRunner: /) as string }),
    )
    // @ts-expect-error: the same
    expect(() => testRunner(options)).toThrow(name)
  })
})

describe('testRunner, inline', () => {
  it('runs a job to its end before enqueue resolves: delays, failures and what it enqueues among it', async () => {
    const done: string[] = []
    const Inner = kind('inner', () => void done.push('inner'))
    const Outer = kind('outer', async (_: undefined, { attempt, client }) => {
      if (attempt < 3) throw new Error('not yet')
      await client.enqueue(Inner)
      done.push('outer')
      return attempt
    })
    const runner = testRunner({ kinds: [Inner, Outer], mode: 'inline' })
    const job = await runner.enqueue(Outer, undefined, { delayMs: 3_600_000 })
    expect(done).toEqual(['inner', 'outer'])
    expect(await job.result()).toBe(3)
    expect(runner.clock.now()).toBeGreaterThan(3_600_000)
    await runner.close()
    expect(runner.clock.pending).toBe(0)
  })

  it('resolves also when the job fails, whose end tells why', async () => {
    const Fail = kind('fail', { maxAttempts: 1, handler: () => Promise.reject(new Error('no')) })
    const runner = testRunner({ kinds: [Fail], mode: 'inline' })
    const job = await runner.enqueue(Fail, undefined)
    expect((await job.find())?.state).toBe('failed')
    await expect(job.result()).rejects.toMatchObject({ code: 'JOB_FAILED' })
    await runner.close()
  })
})

describe('testRunner, inline, where a job cannot run or is run again', () => {
  it('leaves jobs of kinds without a handler, and of queues that are paused, waiting: they are stored', async () => {
    const Mail = kind('mail')
    const runner = testRunner({ kinds: [Mail, Greet], mode: 'inline' })
    const now = runner.clock.now()
    const mail = await runner.enqueue(Mail, undefined, { delayMs: 1_000 })
    await runner.pauseQueue('held')
    const held = await runner.enqueue(Greet, { name: 'Ada' }, { queue: 'held', delayMs: 1_000 })
    expect(await runner.enqueueMany(Mail, [undefined])).toHaveLength(1)
    expect(runner.clock.now()).toBe(now)
    expect([(await mail.find())?.state, (await held.find())?.state]).toEqual(['delayed', 'delayed'])
    await runner.assertEnqueued(Mail, undefined, { count: 2 })
    await runner.resumeQueue('held')
    expect((await runner.run(held.id)).result).toBe('Hello, Ada!')
    await runner.close()
  })

  it('runs a job to its end again when it is retried', async () => {
    let fails = true
    const Flaky = kind('flaky', {
      maxAttempts: 2,
      handler: () => {
        if (fails) throw new Error('no')
        return 'well'
      },
    })
    const runner = testRunner({ kinds: [Flaky], mode: 'inline' })
    const job = await runner.enqueue(Flaky)
    expect(await runner.retry(job.id)).toBe('retried')
    expect((await job.find())?.state).toBe('failed')
    expect(runner.ran).toHaveLength(4)
    fails = false
    expect(await runner.retry(job.id)).toBe('retried')
    expect(await job.result()).toBe('well')
    expect(await runner.retry(job.id)).toBe('completed')
    expect(runner.ran).toHaveLength(5)
    await runner.close()
  })

  it('only stores, where it is manual', async () => {
    const runner = testRunner({ kinds: [kind('fail', { maxAttempts: 1, handler: () => discard('no') })] })
    const { id } = await runner.enqueue('fail')
    await runner.runNext()
    expect(await runner.retry(id)).toBe('retried')
    expect((await runner.find(id))?.state).toBe('waiting')
    await runner.close()
  })

  it('runs all jobs that are enqueued at the same time', async () => {
    const runner = testRunner({ kinds: [Greet], mode: 'inline' })
    const jobs = await Promise.all(
      ['a', 'b', 'c'].map((name, index) => runner.enqueue(Greet, { name }, { delayMs: (3 - index) * 1_000 })),
    )
    expect(await Promise.all(jobs.map(job => job.result()))).toEqual(['Hello, a!', 'Hello, b!', 'Hello, c!'])
    await runner.close()
  })
})

describe('assertEnqueued and refuteEnqueued', () => {
  it('look at part of the args, and at queue, priority, tags, time and number', async () => {
    const runner = testRunner({ kinds: [Greet] })
    const args = { name: 'Ada', address: { city: 'London', lines: [1, 2] } }
    await runner.enqueue('greet', args, { queue: 'mail', priority: 3, tags: ['vip'], delayMs: 60_000 })
    await runner.assertEnqueued(Greet)
    const [job] = await runner.assertEnqueued('greet', { address: { lines: [1, 2] } }, { tag: 'vip', priority: 3, count: 1 })
    expect(job?.args).toEqual(args)
    await runner.assertEnqueued(Greet, {}, { queue: 'mail', delayMs: 60_500 })
    await runner.refuteEnqueued(Greet, { address: { lines: [1] } })
    await runner.refuteEnqueued(Greet, { name: 'Ada' }, { delayMs: 0 })
    await runner.refuteEnqueued('other')
    expect(await runner.enqueued(Greet, undefined, { queue: 'none' })).toEqual([])
    await runner.close()
  })

  it('throw errors that tell what is there', async () => {
    const runner = testRunner({ kinds: [Greet] })
    await expect(runner.assertEnqueued(Greet)).rejects.toThrow('no job of kind greet\nenqueued are none')
    await runner.enqueue(Greet, { name: 'Ada' }, { delayMs: 500 })
    await expect(runner.assertEnqueued(Greet, { name: 'Bob' })).rejects.toThrow(
      'no job of kind greet, args {"name":"Bob"}\nenqueued is:\n  greet {"name":"Ada"} (queue default, priority 0, in 500 ms)',
    )
    await expect(runner.assertEnqueued(Greet, {}, { count: 2 })).rejects.toThrow('1 jobs, not 2, of kind greet')
    await expect(runner.refuteEnqueued(Greet)).rejects.toThrow('a job of kind greet')
    // @ts-expect-error: the types know the option too
    await expect(runner.assertEnqueued(Greet, {}, { quue: 'x' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await runner.close()
  })
})

describe('generateJobs', () => {
  it('ROW-S13 makes as many random jobs as asked for, the same for the same seed', () => {
    const plain = (seed: number): unknown =>
      generateJobs(200, { seed, queues: ['a', 'b'] }).map(job => ({ ...job, kind: job.kind.name }))
    expect(plain(1)).toEqual(plain(1))
    expect(plain(1)).not.toEqual(plain(2))
    const jobs = generateJobs(200, { queues: ['a', 'b'], maxDelayMs: 100, maxDurationMs: 5 })
    expect(new Set(jobs.map(({ kind: { name } }) => name)).size).toBe(3)
    expect(new Set(jobs.map(({ options: { queue } }) => queue)).size).toBe(2)
    expect(jobs.every(({ args, options }) => args.durationMs <= 5 && options.delayMs <= 100)).toBe(true)
    expect(generateJobs(0)).toEqual([])
    expect(() => generateJobs(-1)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  it('ROW-S13 makes jobs that all end well', async () => {
    const runner = testRunner({ kinds: generatedKinds() })
    for (const { kind: of, args, options } of generateJobs(100)) await runner.enqueue(of, args, options)
    const { completed, failed, retry: retried } = await runner.drain({ withDelayed: true })
    expect([completed, failed]).toEqual([100, 0])
    expect(retried).toBeGreaterThan(0)
    await runner.close()
  })
})
