/** What a setup gets besides its argument: timers, monitors, signals. */
import { consumer, type Context, createRuntime, type Down, producer, producerName, type StageRef, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { ManualClock } from './support/manual-clock.ts'
import { refusal } from './support/refusal.ts'
import { thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'

/** A stage that hands its context out and writes down its infos; a cast makes it wait. */
function open() {
  const world = watchedRuntime()
  const { runtime } = world
  const infos: unknown[] = []
  let context: Context | undefined
  let release = (): void => {}
  const Open = producer((_: void, ctx) => {
    context = ctx
    return {
      handleDemand() {},
      handleInfo: (message: unknown) => void infos.push(message),
      handleCast: (_message: 'wait') =>
        new Promise<void>(resolve => {
          release = resolve
        }),
    }
  })
  const stage = start(Open, { runtime, name: 'stage' })
  return {
    ...world,
    stage,
    infos,
    release: () => release(),
    async context(): Promise<Context> {
      await stage.ready
      return context as Context
    },
  }
}

describe('ctx.after', () => {
  it('brings its message to handleInfo once, after that time', async () => {
    const { context, infos, pass, timers } = open()
    const ctx = await context()
    ctx.after(20, 'later')
    ctx.after(10, 'sooner')
    ctx.after(0, 'now')
    expect(infos).toEqual([])
    await pass(0)
    expect(infos).toEqual(['now'])
    await pass(9)
    expect(infos).toEqual(['now'])
    await pass(1)
    await pass(10)
    await pass(100)
    expect(infos).toEqual(['now', 'sooner', 'later'])
    expect(timers()).toBe(0)
  })

  it('is called off by cancel, before it fires and while its message waits', async () => {
    const { stage, context, infos, pass, settle, release, timers } = open()
    const ctx = await context()
    const early = ctx.after(10, 'early')
    early.cancel()
    early.cancel()
    expect(timers()).toBe(0)
    const late = ctx.after(10, 'late')
    stage.cast('wait')
    await settle()
    await pass(10)
    late.cancel()
    release()
    await settle()
    expect(infos).toEqual([])
  })

  it('INV-21 is called off when the stage ends, and means nothing after the end', async () => {
    const { stage, context, infos, pass, timers } = open()
    const ctx = await context()
    ctx.after(10, 'message')
    ctx.every(10, 'tick')
    expect(timers()).toBe(2)
    await stage.stop()
    expect(timers()).toBe(0)
    ctx.after(10, 'message').cancel()
    ctx.every(10, 'tick')
    expect(timers()).toBe(0)
    await pass(100)
    expect(infos).toEqual([])
  })

  it.each([-1, NaN, Infinity, '10', undefined])('refuses %s as a time', async ms => {
    const { context, timers } = open()
    const ctx = await context()
    const expected = refusal('BAD_OPTION', 'ms', 'stage "stage"', 'milliseconds from 0', 'not ')
    expect(thrownBy(() => ctx.after(wrong(ms), 'message'))).toMatchObject(expected)
    expect(thrownBy(() => ctx.every(wrong(ms), 'tick'))).toMatchObject(expected)
    expect(timers()).toBe(0)
  })

  it('may be set in the setup', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const infos: string[] = []
    const Timed = producer((_: void, ctx: Context<'go'>) => {
      ctx.after(10, 'go')
      return { handleDemand() {}, handleInfo: (message: 'go') => void infos.push(message) }
    })
    start(Timed, { runtime })
    await settle()
    await pass(10)
    expect(infos).toEqual(['go'])
  })
})

describe('ctx.every', () => {
  it('brings its message again and again, without drifting', async () => {
    const { context, infos, pass } = open()
    const ctx = await context()
    ctx.every(10, 'tick')
    for (let ms = 0; ms < 25; ms++) await pass(1)
    expect(infos).toEqual(['tick', 'tick'])
    for (let ms = 0; ms < 25; ms++) await pass(1)
    expect(infos).toHaveLength(5)
  })

  it('never asks for a time that is past, however late a tick comes and however fast time goes', async () => {
    class HurryingClock extends ManualClock {
      readonly asked: number[] = []
      late = 0
      #reads = 0
      override now(): number {
        return super.now() + this.late + ++this.#reads / 1_000
      }
      override setTimer(ms: number, callback: () => void): Disposable {
        this.asked.push(ms)
        return super.setTimer(ms, callback)
      }
    }
    const clock = new HurryingClock()
    const Ticking = producer((_: void, ctx) => {
      ctx.every(1, 'tick')
      return { handleDemand() {}, handleInfo() {} }
    })
    const stage = start(Ticking, { runtime: createRuntime({ clock }) })
    await stage.ready
    for (let round = 0; round < 30; round++) {
      clock.late += 5
      clock.advance(1)
    }
    expect(clock.asked.length).toBeGreaterThan(20)
    expect(clock.asked.filter(ms => ms < 0)).toEqual([])
    await stage.stop()
  })

  it('does not post a tick while the one before waits in the mailbox', async () => {
    const { stage, context, infos, pass, settle, release } = open()
    const ctx = await context()
    ctx.every(10, 'tick')
    stage.cast('wait')
    await settle()
    for (let tick = 0; tick < 7; tick++) await pass(10)
    expect(infos).toEqual([])
    release()
    await settle()
    expect(infos).toEqual(['tick'])
    await pass(10)
    expect(infos).toEqual(['tick', 'tick'])
  })

  it('does not make up for ticks that a standstill has swallowed', async () => {
    const { context, infos, pass } = open()
    const ctx = await context()
    ctx.every(10, 'tick')
    await pass(1_000)
    expect(infos).toEqual(['tick'])
    await pass(10)
    expect(infos).toEqual(['tick', 'tick'])
  })

  it('is called off by cancel, and by leaving its block', async () => {
    const { context, infos, pass, timers } = open()
    const ctx = await context()
    const ticking = ctx.every(10, 'tick')
    await pass(10)
    ticking.cancel()
    {
      using _ = ctx.every(10, 'other')
    }
    await pass(100)
    expect(infos).toEqual(['tick'])
    expect(timers()).toBe(0)
  })

  it('may be called off by the tick itself', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    let ticks = 0
    const Twice = producer((_: void, ctx: Context<'tick'>) => {
      const timer = ctx.every(10, 'tick')
      return {
        handleDemand() {},
        handleInfo(_message: 'tick') {
          if (++ticks === 2) timer.cancel()
        },
      }
    })
    start(Twice, { runtime })
    await settle()
    for (let tick = 0; tick < 5; tick++) await pass(10)
    expect(ticks).toBe(2)
    expect(timers()).toBe(0)
  })

  it('emits what its handleInfo returns', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const seen: number[] = []
    const Clock = producer((_: void, ctx: Context<'tick'>) => {
      let n = 0
      ctx.every(10, 'tick')
      return { handleDemand() {}, handleInfo: (_message: 'tick') => [n++] }
    })
    const Sink = consumer.of<number>()(() => ({ handleEvents: events => void seen.push(...events) }))
    start(Sink, { runtime, subscribeTo: [start(Clock, { runtime })] })
    await settle()
    for (let tick = 0; tick < 3; tick++) await pass(10)
    expect(seen).toEqual([0, 1, 2])
  })
})

describe('ctx.monitor', () => {
  const Other = producer(() => ({ handleDemand() {} }))

  it('GS-J3 brings a Down to handleInfo, once', async () => {
    const { runtime, context, infos, settle } = open()
    const ctx = await context()
    const other = start(Other, { runtime })
    const monitor = ctx.monitor(other)
    expect(monitor.stage).toBe(other)
    await other.stop('shutdown')
    await settle()
    expect(infos).toEqual([{ type: 'down', stage: other, reason: { type: 'shutdown' } }])
    monitor.cancel()
  })

  it('GS-J3 of a stage that has ended brings noproc', async () => {
    const { runtime, context, infos, settle } = open()
    const ctx = await context()
    const other = start(Other, { runtime })
    await other.stop()
    ctx.monitor(other)
    await settle()
    expect(infos).toMatchObject([{ type: 'down', reason: { type: 'noproc' } }])
  })

  it('GS-K2 after cancel brings nothing, not even a Down that waits in the mailbox', async () => {
    const { runtime, stage, context, infos, settle, release } = open()
    const ctx = await context()
    const [early, late] = [start(Other, { runtime }), start(Other, { runtime })]
    ctx.monitor(early).cancel()
    const monitor = ctx.monitor(late)
    stage.cast('wait')
    await settle()
    await Promise.all([early.stop(), late.stop()])
    await settle()
    monitor.cancel()
    release()
    await settle()
    expect(infos).toEqual([])
  })

  it('brings one Down for each monitor', async () => {
    const { runtime, context, infos, settle } = open()
    const ctx = await context()
    const other = start(Other, { runtime })
    ctx.monitor(other)
    ctx.monitor(other)
    await other.kill()
    await settle()
    expect(infos).toHaveLength(2)
  })

  it('of the stage itself brings nothing: it has ended', async () => {
    const { stage, context, infos, settle, raised } = open()
    const ctx = await context()
    ctx.monitor(ctx.self)
    await stage.stop()
    await settle()
    expect(infos).toEqual([])
    expect(raised).toEqual([])
  })

  it('ends with the stage: a failure of the other is then unwatched', async () => {
    const { runtime, stage, context, settle, uncaught } = open()
    const ctx = await context()
    const Failing = producer(() => ({
      handleDemand() {},
      handleCast(_message: 'fail') {
        throw new Error('boom')
      },
    }))
    const other = start(Failing, { runtime, name: 'other' })
    ctx.monitor(other)
    await stage.stop()
    other.cast('fail')
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'other' }])
  })

  it.each([undefined, 'other', {}])('BAD-27 refuses %s', async stage => {
    const { context } = open()
    const ctx = await context()
    expect(thrownBy(() => ctx.monitor(wrong(stage)))).toMatchObject(refusal('NOT_A_STAGE', undefined, 'stage "stage"', 'not '))
  })

  it('is understood by handleInfo beside other messages', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: string[] = []
    const Watcher = producer((other: StageRef, ctx: Context<'check'>) => {
      ctx.monitor(other)
      return {
        handleDemand() {},
        handleInfo: (message: 'check' | Down) => void seen.push(message === 'check' ? message : message.type),
      }
    })
    const other = start(Other, { runtime })
    const watcher = start(Watcher, { runtime, arg: other })
    watcher.send('check')
    await other.stop()
    await settle()
    expect(seen).toEqual(['check', 'down'])
  })
})

describe('ctx.stopping and ctx.signal', () => {
  it('are the same signals every time, and not aborted while the stage lives', async () => {
    const { context } = open()
    const ctx = await context()
    expect(ctx.stopping).toBe(ctx.stopping)
    expect(ctx.signal).toBe(ctx.signal)
    expect(ctx.stopping).not.toBe(ctx.signal)
    expect([ctx.stopping.aborted, ctx.signal.aborted]).toEqual([false, false])
  })

  it('a stop aborts stopping at once, with an AbortError, and signal only at the deadline', async () => {
    const { stage, context, settle, pass } = open()
    const ctx = await context()
    const aborted: string[] = []
    ctx.stopping.addEventListener('abort', () => aborted.push('stopping'))
    ctx.signal.addEventListener('abort', () => aborted.push('signal'))
    stage.cast('wait')
    await settle()
    const stopped = stage.stop()
    expect(aborted).toEqual(['stopping'])
    expect(ctx.stopping.reason).toMatchObject({ name: 'AbortError', message: expect.stringContaining('normal') as string })
    await pass(5_000)
    await stopped
    expect(aborted).toEqual(['stopping', 'signal'])
    expect(ctx.signal.reason).toMatchObject({ name: 'AbortError' })
  })

  it('a kill aborts both', async () => {
    const { stage, context } = open()
    const ctx = await context()
    const signals = [ctx.stopping, ctx.signal]
    void stage.kill()
    expect(signals.map(signal => signal.aborted)).toEqual([true, true])
  })

  it('are aborted also when they are first read after that', async () => {
    const { stage, context } = open()
    const ctx = await context()
    void stage.kill()
    expect([ctx.stopping.aborted, ctx.signal.aborted]).toEqual([true, true])
    expect(ctx.stopping.reason).toMatchObject({ name: 'AbortError' })
  })

  it('a drain aborts stopping', async () => {
    const { stage, context } = open()
    const ctx = await context()
    const { stopping } = ctx
    const stopped = stage.stop('normal', { drain: true })
    expect(stopping.aborted).toBe(true)
    await stopped
  })

  it('ctx.stop, a failure and the end of a producer abort stopping before terminate', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const Ending = consumer.of<number>()((_: void, ctx) => ({
      handleEvents() {},
      handleCast(message: 'stop' | 'fail') {
        if (message === 'stop') ctx.stop()
        else throw new Error('boom')
      },
      terminate: () => void seen.push([ctx.stopping.aborted, ctx.signal.aborted]),
    }))
    const Source = producer<number>(() => ({ handleDemand() {} }))
    for (const message of ['stop', 'fail'] as const) {
      const stage = start(Ending, { runtime })
      void stage.exited
      stage.cast(message)
    }
    const source = start(Source, { runtime })
    const following = start(Ending, { runtime, subscribeTo: [source] })
    await following.ready
    await source.stop()
    await settle()
    expect(seen).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ])
  })

  it('a listener that stops the stage again does no harm', async () => {
    const { stage, context } = open()
    const ctx = await context()
    ctx.stopping.addEventListener('abort', () => {
      ctx.stop('shutdown')
      void stage.stop({ type: 'other', value: 'again' })
    })
    const reason = await stage.stop('normal')
    expect(['normal', 'shutdown']).toContain(reason.type)
  })
})

describe('the rest of a context', () => {
  it('tells who the stage is, and gives the parts of its runtime', async () => {
    const { runtime, stage, context } = open()
    const ctx = await context()
    expect(ctx.self).toBe(stage)
    expect([ctx.name, ctx.restartCount]).toEqual(['stage', 0])
    expect(ctx.runtime).toBe(runtime)
    expect(ctx.clock).toBe(runtime.clock)
    expect(ctx.logger).toBe(runtime.logger)
  })

  it('GS-A9 a stage may cast to itself', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: string[] = []
    const Talking = producer((_: void, { self }: Context) => ({
      handleDemand() {},
      handleCast(message: string) {
        seen.push(message)
        if (message === 'one') self.cast('three')
      },
    }))
    const stage = start(Talking, { runtime })
    stage.cast('one')
    stage.cast('two')
    await settle()
    expect(seen).toEqual(['one', 'two', 'three'])
  })
})

describe('the end of a stage', () => {
  it('GS-L2 a start that fails behind the setup aborts signal, for whoever has opened something', async () => {
    const { runtime } = watchedRuntime()
    const opened: AbortSignal[] = []
    let terminated = false
    const Opener = consumer((_: void, ctx) => {
      opened.push(ctx.signal)
      return {
        handleEvents(_events: readonly number[]) {},
        terminate() {
          terminated = true
        },
      }
    })
    const Nobody = producerName<number>('nobody')
    const { ready } = start(Opener, { runtime, subscribeTo: [Nobody] })
    await expect(ready).rejects.toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'noproc' } })
    expect([opened[0]?.aborted, terminated]).toEqual([true, false])
  })

  it('GS-J6 a setup that kills its own stage is the end of it', async () => {
    const { runtime, settle } = watchedRuntime()
    const told: string[] = []
    for (const event of ['started', 'exited'] as const) runtime.telemetry.on(event, () => told.push(event))
    const Suicidal = producer((_: void, ctx) => {
      void ctx.self.kill()
      return { handleDemand() {} }
    })
    const stage = start(Suicidal, { runtime })
    expect(await stage.exited).toEqual({ type: 'killed' })
    await settle()
    expect([told, runtime.topology().stages]).toEqual([['exited'], []])
  })

  it('GS-J5 a terminate that gives up is the end, and no failure', async () => {
    const { runtime } = watchedRuntime()
    const GivingUp = producer(() => ({
      handleDemand() {},
      terminate: () => Promise.reject(new DOMException('given up', 'AbortError')),
    }))
    expect(await start(GivingUp, { runtime }).stop('shutdown', { timeout: Infinity })).toEqual({ type: 'shutdown' })
  })
})
