/** What comes to a thread, and what comes back. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { byError, fixed, kind } from '../../src/index.ts'
import { builtFunctions } from './built.ts'
import type double from './functions.ts'
import { finished, inThread, liveThreads, poolOf, runnerOf, threaded } from './world.ts'

describe('a handler on a thread', { timeout: 30_000 }, () => {
  it('gets the args, and gives the result', async () => {
    const pool = poolOf()
    const Double = kind('double', inThread<typeof double>(builtFunctions, { pool }))
    const Nothing = kind('nothing', threaded('nothing', { pool }))
    const runner = runnerOf([Double, Nothing])
    const jobs = await runner.enqueueMany(Double, [1, 2, 3])
    expect(await Promise.all(jobs.map(job => job.result()))).toEqual([2, 4, 6])
    expect(await (await runner.enqueue(Nothing)).result()).toBeUndefined()
  })

  it('runs on another thread, and keeps it for the next job', async () => {
    const Which = kind('which', threaded('whichThread', { pool: poolOf() }))
    const runner = runnerOf([Which])
    const results = await Promise.all((await runner.enqueueMany(Which, [undefined, undefined])).map(job => job.result()))
    expect(results[0]).toBe(results[1])
    expect([...liveThreads].map(each => each.threadId)).toEqual([results[0]])
  })

  it('runs on the threads that all share, where no pool is named', async () => {
    const Double = kind('double', inThread<typeof double>(builtFunctions))
    expect(await (await runnerOf([Double]).enqueue(Double, 4)).result()).toBe(8)
  })

  it('knows its job', async () => {
    const Facts = kind('facts', { maxAttempts: 7, handler: threaded('facts', { pool: poolOf() }) })
    const runner = runnerOf([Facts])
    const job = await runner.enqueue(Facts, undefined, { priority: 3 })
    const { enqueuedAt, runAt } = await finished(runner, job)
    expect(await job.result()).toEqual({
      id: job.id,
      kind: 'facts',
      queue: 'default',
      attempt: 1,
      maxAttempts: 7,
      crashes: 0,
      priority: 3,
      enqueuedAt,
      runAt,
      isFree: true,
      sorts: ['function', 'function'],
    })
  })

  it('reports progress and lines of the log, the last of them before it ends, and finds its progress again', async () => {
    const Report = kind('report', { backoff: fixed(1), handler: threaded('report', { pool: poolOf() }) })
    const runner = runnerOf([Report])
    const seen: unknown[] = []
    runner.events.on('progress', event => seen.push(event.progress))
    const job = await runner.enqueue(Report, 3)
    expect(await job.result()).toEqual({ done: 3 })
    const all = [{ done: 1 }, { done: 2 }, { done: 3 }]
    expect(seen).toEqual([...all, ...all])
    const lines = (await runner.logs(job.id)).map(({ level, message }) => `${level} ${message}`)
    expect(lines).toEqual(['info half way', 'warn careful', 'info half way', 'warn careful'])
  })

  it('BAD-79 is told at once of progress that JSON would change', async () => {
    const Report = kind('report', { maxAttempts: 1, handler: threaded('reportDate', { pool: poolOf() }) })
    const runner = runnerOf([Report])
    const { error } = await finished(runner, await runner.enqueue(Report))
    expect([error?.code, error?.message.startsWith('progress.at is a Date')]).toEqual(['BAD_PAYLOAD', true])
  })

  it('reports nothing once it has returned', async () => {
    const pool = poolOf()
    const Late = kind('late', threaded('reportLate', { pool }))
    const After = kind('after', threaded('afterLate', { pool }))
    const runner = runnerOf([Late, After])
    const job = await runner.enqueue(Late)
    expect(await job.result()).toBe('returned')
    await (await runner.enqueue(After)).result()
    expect((await job.find())?.progress).toBeUndefined()
  })
})

describe('a result of a thread', { timeout: 30_000 }, () => {
  it.each([
    ['date', 'result.at is a Date'],
    ['bigint', 'result[0] is a bigint'],
    ['nan', 'result is NaN'],
    ['money', 'result.price is a Money'],
    ['function', 'result.call is a function'],
  ])('BAD-79 is refused as everywhere: %s', async (sort, text) => {
    const Result = kind('result', { maxAttempts: 1, handler: threaded('resultOf', { pool: poolOf() }) })
    const runner = runnerOf([Result])
    const { state, error } = await finished(runner, await runner.enqueue(Result, sort))
    expect([state, error?.code]).toEqual(['failed', 'BAD_PAYLOAD'])
    expect(error?.message).toContain(text)
  })

  it('may be what a schema makes something storable of', async () => {
    const Year = kind('year', {
      result: z.date().transform(date => date.toISOString()),
      handler: threaded('dateOf', { pool: poolOf() }),
    })
    const job = await runnerOf([Year]).enqueue(Year, 2024)
    expect(await job.result()).toBe('2024-01-01T00:00:00.000Z')
  })
})

describe('outcomes returned by a thread', { timeout: 30_000 }, () => {
  const deciding = async (how: string): Promise<unknown> => {
    const Decide = kind('decide', { backoff: fixed(1), maxAttempts: 2, handler: threaded('decide', { pool: poolOf() }) })
    const runner = runnerOf([Decide])
    const job = await runner.enqueue(Decide, how)
    if (how === 'snooze') await new Promise(resolve => runner.events.once('snoozed', resolve))
    else await finished(runner, job)
    const { state, result, error, history, cancelReason } = (await job.find()) as never as Readonly<Record<string, unknown>>
    return { state, result, error: (error as Error | undefined)?.message, history: (history as object[]).length, cancelReason }
  }

  it('retry', async () => {
    expect(await deciding('retry')).toMatchObject({ state: 'completed', result: 'in the end' })
    expect(await deciding('retry at last')).toMatchObject({ state: 'completed', result: 'in the end' })
  })

  it('snooze, discard and cancel', async () => {
    expect(await deciding('snooze')).toMatchObject({ state: 'delayed' })
    expect(await deciding('discard')).toMatchObject({ state: 'discarded', error: 'no such user' })
    expect(await deciding('cancel')).toMatchObject({ state: 'cancelled' })
  })
})

describe('an error thrown on a thread', { timeout: 30_000 }, () => {
  const failing = async (how: string): Promise<Readonly<Record<string, unknown>>> => {
    const Fail = kind('fail', { maxAttempts: 1, handler: threaded('fail', { pool: poolOf() }) })
    const runner = runnerOf([Fail])
    const { error } = await finished(runner, await runner.enqueue(Fail, how))
    return { ...error }
  }

  it('F12 has its name, message, code and stack, with its causes', async () => {
    const { stack, ...rest } = await failing('class')
    expect(rest).toEqual({ name: 'PaymentError', code: 'CARD_DECLINED', message: 'the card was declined' })
    expect(stack).toMatch(/the card was declined\n +at .*fail .*functions[^]*caused by RangeError: too much\n +at /)
    expect(await failing('ours')).toMatchObject({ name: 'JobsError', code: 'BAD_PAYLOAD', message: 'not that' })
  })

  it('F12 may be anything', async () => {
    expect(await failing('text')).toMatchObject({ name: 'NonError', message: 'just text' })
    expect(await failing('trap')).toMatchObject({ message: 'an error whose message cannot be read' })
  })

  it('is of its class for the back-off', async () => {
    const backoff = byError([[TypeError, fixed(60_000)]], fixed(1))
    const Fail = kind('fail', { maxAttempts: 2, backoff, handler: threaded('fail', { pool: poolOf() }) })
    const runner = runnerOf([Fail])
    const failed = new Promise<unknown>(resolve => runner.events.once('failed', event => resolve(event.retryInMs)))
    await runner.enqueue(Fail, 'type')
    expect(await failed).toBe(60_000)
  })
})
