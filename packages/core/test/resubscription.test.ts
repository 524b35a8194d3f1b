/** X22: a subscription that is made anew when its producer has failed, or is not there. */
import {
  type CancelMode,
  consumer,
  consumerSupervisor,
  type Ended,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerName,
  type ReasonInput,
  type ResubscribeOptions,
  type Runtime,
  start,
  type Subscriber,
  type Subscription,
} from '@genstage/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from './support/children.ts'
import { refusal } from './support/refusal.ts'
import { deliberately, items, type Seen, sink } from './support/stages.ts'
import { rejectionOf, watchedRuntime, wrong } from './support/watched-runtime.ts'

const boom = new Error('boom')
const failure = { type: 'error', error: boom } as const

const numbers = producerName<number>('numbers')

/** Emits what it is cast; throws errors, stops for reasons. */
const Numbers = producer.of<number>()((_: void, ctx) => ({
  handleDemand() {},
  handleCast(message: readonly number[] | Error | { readonly stop: ReasonInput }) {
    if (message instanceof Error) throw message
    if ('stop' in message) return ctx.stop(message.stop)
    return message
  },
}))

function startNumbers(runtime: Runtime) {
  return start(Numbers, { runtime, name: numbers })
}

/** A world in which the failures of `numbers` are expected, and nothing else; at the end nothing must be left. */
function world() {
  const watched = watchedRuntime()
  const { runtime, lines, uncaught, raised, settle, pass } = watched
  onTestFinished(async () => {
    const stopped = runtime.stop({ timeout: 0 })
    await pass(0)
    await stopped
    await settle()
    expect(raised).toEqual([])
    expect(watched.timers()).toBe(0)
    expect(runtime.topology().stages).toEqual([])
    expect(uncaught.filter(({ stage }) => stage !== 'numbers')).toEqual([])
  })
  return {
    ...watched,
    /** The tries that the log told of: number and delay. */
    tries: () =>
      lines.filter(({ fields }) => fields.code === 'resubscribing').map(({ fields }) => [fields['n'], fields['delayMs']]),
    codes: () => lines.map(({ fields }) => fields.code),
  }
}

/** A consumer that writes down the lives of its subscription. */
function subscriber(runtime: Runtime, cancel: CancelMode = 'permanent', resubscribe: ResubscribeOptions = {}) {
  const diary: string[] = []
  const seen: Seen = []
  const links: Subscription[] = []
  const Sink = sink(seen, () => ({
    handleSubscribe(from) {
      links.push(from as Subscription)
      diary.push(`up ${links.length}`)
      return undefined
    },
    handleCancel({ kind, reason }: Ended, from) {
      diary.push(`${kind} ${reason.type} ${links.indexOf(from as Subscription) + 1}`)
    },
  }))
  const ref = start(Sink, { runtime, name: 'sink' })
  const subscription = ref.subscribe({ to: numbers, cancel, maxDemand: 10, resubscribe })
  return { ref, subscription, diary, links, seen, items: () => items(seen) }
}

describe('a subscription with resubscribe', () => {
  it.each<[string, (numbers: ReturnType<typeof startNumbers>) => void, string]>([
    ['an error', ref => ref.cast(boom), 'error'],
    ['a kill', ref => void ref.kill(), 'killed'],
    ['a reason of its own', ref => void ref.stop({ type: 'other', value: 'lost' }), 'other'],
    ['noproc', ref => void ref.stop({ type: 'noproc' }), 'noproc'],
  ])('X22 GS-L8 is made anew after %s of its producer, with whoever has the name then', async (_what, end, type) => {
    const { runtime, settle, pass, tries, lines } = world()
    const first = startNumbers(runtime)
    const { ref, subscription, diary, links, items: seen } = subscriber(runtime)
    await subscription.accepted
    first.cast([1, 2])
    await settle()
    end(first)
    await settle()
    expect(diary).toEqual(['up 1', `down ${type} 1`])
    expect(await subscription.ended).toMatchObject({ kind: 'down', reason: { type } })
    const second = startNumbers(runtime)
    await pass(99)
    expect(diary).toHaveLength(2)
    await pass(1)
    second.cast([3])
    await settle()
    expect(diary.slice(2)).toEqual(['up 2'])
    expect(seen()).toEqual([1, 2, 3])
    expect(links[1]?.id).not.toBe(subscription.id)
    expect(links[1]?.producer).toBe(second)
    expect((await ref.inspect()).producers.map(edge => edge.subscription)).toEqual([links[1]?.id])
    expect(tries()).toEqual([[1, 100]])
    expect(lines.filter(({ fields }) => fields.code === 'resubscribing')).toMatchObject([
      { level: 'warn', fields: { stage: 'sink', producer: 'numbers', reason: { type } } },
    ])
  })

  it('X22 GS-S4 waits for a name that nobody has yet: the start is not held up, and accepted when somebody is there', async () => {
    const { runtime, settle, pass, tries, codes } = world()
    const seen: Seen = []
    const other = start(Numbers, { runtime })
    const ref = start(sink(seen), { runtime, subscribeTo: [{ to: numbers, resubscribe: {} }, other] })
    expect(await ref.ready).toBe('started')
    const { subscription, diary } = subscriber(runtime)
    let accepted = 'not yet'
    void subscription.accepted.then(() => (accepted = 'yes'))
    await settle()
    await pass(100)
    await pass(200)
    expect([accepted, diary]).toEqual(['not yet', []])
    const late = startNumbers(runtime)
    await pass(400)
    expect(accepted).toBe('yes')
    // The one that never reached a producer is the one that does now
    expect((await late.inspect()).consumers.map(edge => edge.subscription)).toContain(subscription.id)
    expect(diary).toEqual(['up 1'])
    other.cast([1])
    await settle()
    late.cast([2])
    await settle()
    expect(items(seen)).toEqual([1, 2])
    expect(tries()).toEqual([1, 1, 2, 2, 3, 3].map(n => [n, 50 * 2 ** n]))
    expect(codes()).not.toContain('noproc')
  })

  it('X22 waits twice as long before each try, up to 10 seconds', async () => {
    const { runtime, tries, pass, settle } = world()
    subscriber(runtime)
    await settle()
    for (const [n, delayMs] of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].entries()) {
      expect(tries()).toHaveLength(n + 1)
      expect(tries().at(-1)).toEqual([n + 1, delayMs])
      await pass(delayMs - 1)
      expect(tries()).toHaveLength(n + 1)
      await pass(1)
    }
  })

  it('X22 waits as long as its options say, and begins anew when it was accepted', async () => {
    const { runtime, tries, pass, settle } = world()
    subscriber(runtime, 'permanent', { minDelayMs: 10, maxDelayMs: 25 })
    await settle()
    for (const ms of [10, 20, 25]) await pass(ms)
    const ref = startNumbers(runtime)
    await pass(25)
    ref.cast(boom)
    await settle()
    expect(tries()).toEqual([
      [1, 10],
      [2, 20],
      [3, 25],
      [4, 25],
      [1, 10],
    ])
  })

  it('X22 a try that reaches a producer which fails before it accepts counts as one', async () => {
    const { runtime, tries, pass, settle } = world()
    const { subscription } = subscriber(runtime, 'temporary', { minDelayMs: 10, limit: 3 })
    await settle()
    for (const ms of [10, 20, 40]) {
      const never = start(
        producer.of<number>()(() => new Promise<never>(() => {})),
        { runtime, name: numbers },
      )
      void never.ready.catch(() => {})
      await pass(ms)
      await never.kill()
      await settle()
    }
    expect(tries()).toEqual([
      [1, 10],
      [2, 20],
      [3, 40],
    ])
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED' })
  })

  it('X22 tells handleSubscribe and handleCancel of each life, also when they take their time, and may be manual in each', async () => {
    const { runtime, pass, settle } = world()
    const order: string[] = []
    const Slow = consumer.of<number>()(() => ({
      async handleSubscribe(from) {
        await Promise.resolve()
        order.push('up')
        from.ask(1)
        return 'manual' as const
      },
      async handleCancel() {
        await Promise.resolve()
        order.push('down')
      },
      handleEvents: events => void order.push(`events ${events.join(' ')}`),
    }))
    start(Slow, { runtime, subscribeTo: [{ to: numbers, resubscribe: {} }] })
    for (let life = 0; life < 3; life++) {
      const ref = startNumbers(runtime)
      await pass(100)
      ref.cast([1, 2])
      await settle()
      ref.cast(boom)
      await settle()
    }
    expect(order).toEqual(['up', 'events 1', 'down', 'up', 'events 1', 'down', 'up', 'events 1', 'down'])
  })

  it('X22 GS-PC9 of a stage in the middle is made anew when its inbox is done', async () => {
    const { runtime, pass, settle, tries } = world()
    const first = startNumbers(runtime)
    const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
    const middle = start(Middle, { runtime, subscribeTo: [{ to: numbers, maxDemand: 2, minDemand: 1, resubscribe: {} }] })
    const seen: number[] = []
    let below: Subscription | undefined
    const Below = consumer.of<number>()(() => ({
      handleSubscribe(from) {
        below = from
        from.ask(1)
        return 'manual'
      },
      handleEvents: events => void seen.push(...events),
    }))
    start(Below, { runtime, subscribeTo: [middle] })
    await settle()
    first.cast([1])
    first.cast([2])
    await settle()
    first.cast(boom)
    await pass(100)
    expect([seen, tries()]).toEqual([[1], []])
    below?.ask(2)
    await settle()
    expect([seen, tries()]).toEqual([[1, 2], [[1, 100]]])
    const second = startNumbers(runtime)
    await pass(100)
    second.cast([3])
    await settle()
    expect(seen).toEqual([1, 2, 3])
  })

  it('X22 GS-V16 of a consumer supervisor is made anew', async () => {
    const { runtime, pass, settle } = world()
    const done: number[] = []
    const supervisor = start(
      consumerSupervisor((event: number) => void done.push(event)),
      { runtime, subscribeTo: [{ to: numbers, maxDemand: 2, resubscribe: {} }] },
    )
    for (let life = 0; life < 3; life++) {
      const ref = startNumbers(runtime)
      await pass(100)
      ref.cast([life])
      await settle()
      await ref.kill()
      await settle()
    }
    expect(done).toEqual([0, 1, 2])
    expect(runtime.topology().stages.map(({ id }) => id)).toEqual([supervisor.id])
  })
})

describe('an end that is no failure', () => {
  it.each<[ReasonInput, CancelMode, boolean]>([
    ['normal', 'permanent', false],
    ['normal', 'transient', true],
    ['normal', 'temporary', true],
    ['shutdown', 'permanent', false],
    ['shutdown', 'transient', true],
    ['shutdown', 'temporary', true],
  ])('X22 GS-K5 %s of the producer: the cancel mode applies at once (%s)', async (reason, cancel, lives) => {
    const { runtime, settle, tries } = world()
    const ref = startNumbers(runtime)
    const { ref: stage } = subscriber(runtime, cancel)
    await settle()
    await ref.stop(reason)
    await settle()
    expect([tries(), runtime.whereis('sink') === stage]).toEqual([[], lives])
  })

  it.each<[CancelMode, boolean]>([
    ['permanent', false],
    ['transient', false],
    ['temporary', true],
  ])('X22 GS-K5 a cancel by the producer, whatever its reason: the cancel mode applies at once (%s)', async (cancel, lives) => {
    const { runtime, settle, tries } = world()
    let from: Subscriber | undefined
    const Cancelling = producer.of<number>()(() => ({ handleDemand() {}, handleSubscribe: each => void (from = each) }))
    start(Cancelling, { runtime, name: numbers })
    const { ref: stage, diary } = subscriber(runtime, cancel)
    void stage.exited
    await settle()
    from?.cancel({ type: 'other', value: 'no more' })
    await settle()
    expect(diary).toEqual(['up 1', 'cancel other 1'])
    expect([tries(), runtime.whereis('sink') === stage]).toEqual([[], lives])
  })

  it('X22 GS-H2 a refusal: the cancel mode applies at once', async () => {
    const { runtime, settle, tries } = world()
    const ref = start(Numbers, {
      runtime,
      name: numbers,
      dispatcher: partitionDispatcher({ partitions: 1, hash: (_: number) => 0 }),
    })
    const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))
    start(Sink, { runtime }).subscribe({ to: ref, partition: 0 })
    await settle()
    const second = start(Sink, { runtime })
    const subscription = second.subscribe({ to: numbers, partition: 0, resubscribe: {} })
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'PARTITION_TAKEN' })
    expect(await second.exited).toMatchObject({ type: 'error', error: { code: 'PARTITION_TAKEN' } })
    await settle()
    expect(tries()).toEqual([])
  })
})

describe('tries that are used up', () => {
  it.each<[CancelMode, boolean]>([
    ['permanent', false],
    ['transient', false],
    ['temporary', true],
  ])('X22 GS-S4 end the waiting for a name: the cancel mode applies (%s)', async (cancel, lives) => {
    const { runtime, settle, pass, tries, codes, uncaught } = world()
    const { ref: stage, subscription } = subscriber(runtime, cancel, { limit: 2 })
    await settle()
    await pass(100)
    await pass(200)
    expect(tries()).toEqual([
      [1, 100],
      [2, 200],
    ])
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED', reason: { type: 'noproc' } })
    expect(await subscription.ended).toEqual({ kind: 'down', reason: { type: 'noproc' } })
    expect(runtime.whereis('sink') === stage).toBe(lives)
    expect(codes().includes('noproc')).toBe(!lives)
    if (lives) return
    expect(await stage.exited).toEqual({ type: 'noproc' })
    // Nobody else has failed and told of it
    expect(uncaught.splice(0)).toMatchObject([{ code: 'STAGE_FAILED', stage: 'sink', reason: { type: 'noproc' } }])
  })

  it('X22 GS-K5 end it after a failure, with that as the reason', async () => {
    const { runtime, settle, pass, codes } = world()
    const { ref: stage, diary } = subscriber(runtime, 'permanent', { limit: 1, minDelayMs: 10 })
    const hopeless = () =>
      start(
        producer.of<number>()(() => new Promise<never>(() => {})),
        { runtime, name: numbers },
      )
    const first = startNumbers(runtime)
    await settle()
    first.cast(boom)
    await settle()
    const second = hopeless()
    second.ready.catch(() => {})
    await pass(10)
    await second.kill()
    await settle()
    expect(diary).toEqual(['up 1', 'down error 1', 'up 2', 'down killed 2'])
    expect(await stage.exited).toEqual({ type: 'killed' })
    expect(codes()).toContain('stopping_on_cancel')
  })
})

describe('a cancel', () => {
  it('X22 through the first handle means the latest subscription', async () => {
    const { runtime, settle, pass, tries } = world()
    const { subscription, diary, links, ref: stage } = subscriber(runtime, 'temporary')
    for (let life = 0; life < 3; life++) {
      const ref = startNumbers(runtime)
      await pass(100)
      if (life === 2) break
      ref.cast(boom)
      await settle()
    }
    subscription.cancel('shutdown')
    await settle()
    expect(diary.slice(-2)).toEqual(['up 3', 'cancel shutdown 3'])
    expect(links).toHaveLength(3)
    expect((await stage.inspect()).producers).toEqual([])
    // Nor is it made anew any more
    await runtime.whereis(numbers)?.kill()
    await pass(20_000)
    expect([tries().length, diary.length]).toEqual([2, 6])
  })

  it.each<[CancelMode, ReasonInput, boolean]>([
    ['permanent', 'normal', false],
    ['permanent', 'shutdown', false],
    ['transient', 'normal', true],
    ['transient', { type: 'other', value: 'lost' }, false],
    ['temporary', { type: 'other', value: 'lost' }, true],
  ])('X22 GS-K5 ends the waiting, and the cancel mode applies (%s, %o)', async (cancel, reason, lives) => {
    const { runtime, settle, pass, timers, uncaught, codes } = world()
    const { subscription, ref: stage } = subscriber(runtime, cancel)
    await settle()
    expect(timers()).toBe(1)
    subscription.cancel(reason)
    await settle()
    expect(timers()).toBe(0)
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED' })
    expect(runtime.whereis('sink') === stage).toBe(lives)
    expect(codes().includes('stopping_on_cancel')).toBe(!lives)
    uncaught.splice(0)
    startNumbers(runtime)
    await pass(20_000)
    expect(runtime.topology().edges).toEqual([])
  })

  it('X22 ends the waiting after a failure too, through any handle', async () => {
    const { runtime, settle, pass, diary, subscription, first } = await failed('temporary')
    subscription.cancel()
    startNumbers(runtime)
    await pass(20_000)
    await settle()
    expect(diary).toEqual(['up 1', 'down error 1'])
    expect(first).toBeDefined()
  })

  async function failed(cancel: CancelMode) {
    const it = world()
    const first = startNumbers(it.runtime)
    const sub = subscriber(it.runtime, cancel)
    await it.settle()
    first.cast(boom)
    await it.settle()
    return { ...it, ...sub, first }
  }

  it.each(['before', 'after'] as const)('X22 F57 holds when the producer fails in the same tick, %s it', async when => {
    const { runtime, settle, pass, tries } = world()
    const first = startNumbers(runtime)
    const { subscription, diary, ref: stage } = subscriber(runtime, 'temporary')
    await settle()
    if (when === 'before') void first.kill()
    subscription.cancel()
    void first.kill()
    startNumbers(runtime)
    await settle()
    await pass(20_000)
    expect(diary).toEqual(['up 1', 'down killed 1'])
    expect(tries().length).toBe(when === 'before' ? 1 : 0)
    expect((await stage.inspect()).producers).toEqual([])
  })

  it('X22 GS-K9 through the first handle reaches the producer at once, also when the consumer is busy', async () => {
    const { runtime, settle, pass } = world()
    const busy = deferred()
    const cancels: Ended[] = []
    const Busy = consumer.of<number>()(() => ({ handleEvents: () => busy.promise }))
    const subscription = start(Busy, { runtime }).subscribe({ to: numbers, resubscribe: {}, cancel: 'temporary' })
    const first = startNumbers(runtime)
    await subscription.accepted
    await first.kill()
    const Telling = producer.of<number>()(() => ({
      handleDemand: () => [1],
      handleCancel: ended => void cancels.push(ended),
    }))
    await settle()
    start(Telling, { runtime, name: numbers })
    await pass(100)
    subscription.cancel('shutdown')
    await settle()
    expect(cancels).toEqual([{ kind: 'cancel', reason: { type: 'shutdown' } }])
    busy.resolve()
    await settle()
  })

  it('X22 holds when the next try is already on its way', async () => {
    const { runtime, settle, pass, advance, diary, subscription, ref: stage } = await failed('temporary')
    startNumbers(runtime)
    advance(100)
    subscription.cancel()
    await settle()
    await pass(20_000)
    expect(diary).toEqual(['up 1', 'down error 1', 'up 2', 'cancel normal 2'])
    expect((await stage.inspect()).producers).toEqual([])
  })

  it('X22 is safe twice, and after the end', async () => {
    const { pass, diary, subscription, ref: stage } = await failed('temporary')
    subscription.cancel()
    subscription.cancel()
    await pass(0)
    subscription.cancel()
    await pass(0)
    await stage.stop()
    subscription.cancel()
    await pass(0)
    expect(diary).toEqual(['up 1', 'down error 1'])
  })
})

describe('the end of a consumer that waits', () => {
  const ends: Readonly<Record<string, (stage: ReturnType<typeof subscriber>['ref']) => unknown>> = {
    stop: stage => stage.stop(),
    kill: stage => stage.kill(),
    drain: stage => stage.stop('normal', { drain: true }),
    'a disposal': stage => stage[Symbol.asyncDispose](),
  }

  it.each(Object.keys(ends).flatMap(end => [[end, 'before'] as const, [end, 'after a failure'] as const]))(
    'X22 INV-21 by %s %s leaves no timer and no open promise',
    async (end, when) => {
      const { runtime, settle, timers } = world()
      const first = when === 'before' ? undefined : startNumbers(runtime)
      const { ref: stage, subscription } = subscriber(runtime)
      await settle()
      first?.cast(boom)
      await settle()
      expect(timers()).toBe(1)
      await ends[end]?.(stage)
      expect(timers()).toBe(0)
      if (when === 'before') expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED' })
      expect(await subscription.ended).toMatchObject({ kind: expect.any(String) as string })
    },
  )

  it('X22 INV-21 by a drain that takes its time: nothing is subscribed to any more', async () => {
    const { runtime, settle, pass, timers } = world()
    const busy = deferred()
    const Busy = consumer.of<number>()(() => ({ handleEvents: () => busy.promise }))
    const other = start(Numbers, { runtime })
    const stage = start(Busy, { runtime, subscribeTo: [{ to: numbers, resubscribe: {} }, other] })
    await settle()
    other.cast([1])
    other.cast([2])
    await settle()
    const stopped = stage.stop('normal', { drain: true, timeout: Infinity })
    const late = startNumbers(runtime)
    await pass(20_000)
    busy.resolve()
    await stopped
    await settle()
    expect(timers()).toBe(0)
    expect((await late.inspect()).consumers).toEqual([])
  })

  it('X22 INV-21 by a crash leaves no timer', async () => {
    const { runtime, settle, timers, uncaught } = world()
    const Fragile = consumer.of<number>()(() => ({
      handleEvents() {},
      handleCast(_message: 'crash') {
        throw boom
      },
    }))
    const stage = start(Fragile, { runtime, name: 'sink', subscribeTo: [{ to: numbers, resubscribe: {} }] })
    await settle()
    expect(timers()).toBe(1)
    stage.cast('crash')
    await settle()
    expect(timers()).toBe(0)
    expect(uncaught.splice(0)).toHaveLength(1)
  })

  it('X22 INV-21 a try that comes while it terminates is none, and accepted does not wait for ever', async () => {
    const { runtime, settle, pass, timers } = world()
    const terminated = deferred()
    const Slow = consumer.of<number>()(() => ({ handleEvents() {}, terminate: () => terminated.promise }))
    const stage = start(Slow, { runtime, name: 'sink' })
    const subscription = stage.subscribe({ to: numbers, resubscribe: {} })
    await settle()
    const stopped = stage.stop('normal', { timeout: Infinity })
    await settle()
    startNumbers(runtime)
    await pass(100)
    terminated.resolve()
    await stopped
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED' })
    expect([timers(), runtime.topology().edges]).toEqual([0, []])
  })

  it('X22 INV-21 by a crash in the turn of a try', async () => {
    const { runtime, settle, advance, timers } = world()
    const { ref: stage, subscription } = subscriber(runtime)
    await settle()
    advance(100)
    await stage.kill()
    await settle()
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'STOPPED' })
    expect(timers()).toBe(0)
  })
})

describe('a subscription in the place of one with resubscribe', () => {
  it('X22 GS-S9 ends the waiting of that one', async () => {
    const { runtime, settle, pass, timers } = world()
    const { ref: stage, subscription, diary } = subscriber(runtime)
    await settle()
    startNumbers(runtime)
    const renewed = subscription.resubscribe({ maxDemand: 5 })
    await renewed.accepted
    expect(timers()).toBe(0)
    await pass(20_000)
    expect(diary).toEqual(['up 1'])
    expect((await stage.inspect()).producers.map(edge => edge.subscription)).toEqual([renewed.id])
  })

  it('X22 GS-S9 ends the waiting of all before it, when those waited for each other', async () => {
    const { runtime, settle, pass, timers } = world()
    const { ref: stage, subscription } = subscriber(runtime)
    const second = stage.subscribe({ to: numbers, replaces: subscription, resubscribe: {} })
    await settle()
    expect(timers()).toBe(2)
    startNumbers(runtime)
    const third = stage.subscribe({ to: numbers, replaces: second })
    await pass(20_000)
    expect((await stage.inspect()).producers.map(edge => edge.subscription)).toEqual([third.id])
    for (const each of [subscription, second])
      expect(await rejectionOf(each.accepted)).toMatchObject({ code: 'STOPPED', stage: 'numbers' })
  })

  it('X22 GS-S9 X13 takes the place of the latest, and that is not made anew any more', async () => {
    const { runtime, settle, pass, tries } = world()
    const { ref: stage, subscription, diary } = subscriber(runtime)
    const first = startNumbers(runtime)
    await settle()
    await first.kill()
    const second = startNumbers(runtime)
    await pass(100)
    const renewed = stage.subscribe({ to: numbers, replaces: subscription, cancel: 'temporary' })
    await renewed.accepted
    await settle()
    expect((await second.inspect()).consumers.map(edge => edge.subscription)).toEqual([renewed.id])
    expect(diary).toEqual(['up 1', 'down killed 1', 'up 2', 'up 3', 'cancel normal 2'])
    await second.kill()
    await settle()
    await pass(20_000)
    expect(tries()).toEqual([[1, 100]])
    expect(runtime.whereis('sink')).toBe(stage)
  })

  it.each([true, false])(
    'X22 F57 X13 only one of the two is made anew when the producer fails meanwhile (%s)',
    async isBefore => {
      const { runtime, settle, pass } = world()
      const { ref: stage, subscription } = subscriber(runtime)
      const first = startNumbers(runtime)
      await settle()
      if (isBefore) void first.kill()
      const renewed = stage.subscribe({ to: numbers, replaces: subscription, resubscribe: { minDelayMs: 10 } })
      void first.kill()
      await settle()
      const second = startNumbers(runtime)
      await pass(20_000)
      expect(runtime.whereis('sink')).toBe(stage)
      expect((await second.inspect()).consumers).toHaveLength(1)
      renewed.cancel()
      await settle()
      expect((await second.inspect()).consumers).toHaveLength(0)
    },
  )
})

describe('a replacement under way', () => {
  it('X22 F57 X13 is the only one made anew when the producer fails before it has read of it', async () => {
    const { runtime, settle, pass, tries, uncaught } = world()
    const busy = deferred()
    const Busy = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (_message: 'work') => busy.promise }))
    const first = start(Busy, { runtime, name: 'numbers' })
    const { ref: stage, subscription } = subscriber(runtime)
    await settle()
    first.cast('work')
    await settle()
    stage.subscribe({ to: numbers, replaces: subscription, resubscribe: { minDelayMs: 10 } })
    await settle()
    void first.kill()
    await settle()
    expect(tries()).toEqual([[1, 10]])
    const second = startNumbers(runtime)
    await pass(20_000)
    expect(runtime.whereis('sink')).toBe(stage)
    expect((await second.inspect()).consumers).toHaveLength(1)
    expect(uncaught).toEqual([])
  })

  it('X22 F57 X13 is with the next producer when the one before has failed, and the news of that are on their way', async () => {
    const { runtime, settle, pass, tries } = world()
    const first = startNumbers(runtime)
    const { ref: stage, subscription } = subscriber(runtime)
    await settle()
    const renewed = stage.subscribe({ to: numbers, replaces: subscription, cancel: 'temporary' })
    void first.kill()
    const second = startNumbers(runtime)
    await settle()
    await pass(20_000)
    expect(tries()).toEqual([])
    expect(runtime.whereis('sink')).toBe(stage)
    expect((await second.inspect()).consumers.map(edge => edge.subscription)).toEqual([renewed.id])
  })
})

describe('a producer that dies 100 times', () => {
  it('X22 costs no consumer its life', async () => {
    const { runtime, settle, pass, tries, uncaught } = world()
    const seen: number[][] = Array.from({ length: 5 }, () => [])
    const consumers = seen.map((list, index) => {
      const Sink = consumer.of<number>()(() => ({ handleEvents: events => void list.push(...events) }))
      return start(Sink, {
        runtime,
        name: `sink ${index}`,
        subscribeTo: [{ to: numbers, resubscribe: { limit: 3 }, cancel: index % 2 === 0 ? 'permanent' : 'transient' }],
      })
    })
    const ways: ((ref: ReturnType<typeof startNumbers>) => unknown)[] = [
      ref => ref.cast(boom),
      ref => ref.kill(),
      ref => ref.stop({ type: 'other', value: 'lost' }),
    ]
    for (let life = 0; life < 100; life++) {
      const ref = startNumbers(runtime)
      await pass(100)
      for (let number = 0; number < 10; number++) ref.cast([life * 10 + number])
      await settle()
      ways[life % 3]?.(ref)
      await settle()
    }
    expect(seen.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, number) => number))
    expect(consumers.map(({ name }) => runtime.whereis(name ?? ''))).toEqual(consumers)
    // One after each death, each of them the first in its row
    expect(tries()).toHaveLength(5 * 100)
    expect(tries().every(([n]) => n === 1)).toBe(true)
    expect(uncaught.splice(0).every(({ stage }) => stage === 'numbers')).toBe(true)
  })
})

describe('bad options', () => {
  const cases: readonly (readonly [id: string, value: unknown, option: string, says: string])[] = [
    ['BAD-20', true, 'resubscribe', 'each of them optional, not true'],
    ['BAD-7', null, 'resubscribe', 'not null'],
    ['BAD-6', '100', 'resubscribe', 'not "100"'],
    ['BAD-20', [], 'resubscribe', 'not an empty array'],
    ['BAD-20', new Map(), 'resubscribe', 'not a Map'],
    ['BAD-19', { minDelay: 5 }, 'minDelay', 'did you mean minDelayMs?'],
    ['BAD-19', { maxDelayMS: 5 }, 'maxDelayMS', 'did you mean maxDelayMs?'],
    ['BAD-19', { limits: 5 }, 'limits', 'did you mean limit?'],
    ['BAD-2', { minDelayMs: 0 }, 'minDelayMs', 'above 0, not 0'],
    ['BAD-2', { minDelayMs: -1 }, 'minDelayMs', 'not -1'],
    ['BAD-4', { minDelayMs: NaN }, 'minDelayMs', 'not NaN'],
    ['BAD-5', { maxDelayMs: Infinity }, 'maxDelayMs', 'not Infinity'],
    ['BAD-6', { maxDelayMs: '5' }, 'maxDelayMs', 'not "5"'],
    ['BAD-26', { minDelayMs: 50, maxDelayMs: 20 }, 'minDelayMs', 'at most maxDelayMs (20), not 50'],
    ['BAD-1', { limit: 0 }, 'limit', 'from 1, or Infinity, not 0'],
    ['BAD-3', { limit: 1.5 }, 'limit', 'not 1.5'],
    ['BAD-4', { limit: NaN }, 'limit', 'not NaN'],
  ]

  it.each(cases)('%s resubscribe %o is refused at the call, at the start, and logged', async (_id, value, option, says) => {
    const { runtime, settle, lines } = world()
    const stage = start(sink(), { runtime, name: 'sink' })
    const expected = refusal('BAD_OPTION', option, 'stage "sink"', 'resubscribe', says)
    expect(() => stage.subscribe({ to: numbers, resubscribe: wrong(value) })).toThrow(expect.objectContaining(expected) as Error)
    expect(lines).toMatchObject([{ fields: { code: 'bad_opts', option } }])
    expect(() => start(sink(), { runtime, name: 'late', subscribeTo: [{ to: numbers, resubscribe: wrong(value) }] })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option }) as Error,
    )
    await settle()
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['sink'])
  })

  it('X22 is refused for a producer given by its ref: nobody could find the next one', async () => {
    const { runtime } = world()
    const ref = startNumbers(runtime)
    const stage = start(sink(), { runtime, name: 'sink' })
    const expected = refusal('BAD_OPTION', 'resubscribe', 'stage "sink"', 'resubscribe needs a producer given by its typed name')
    const refused = (attempt: () => unknown) => expect(attempt).toThrow(expect.objectContaining(expected) as Error)
    refused(() => stage.subscribe({ to: ref, resubscribe: {} }))
    const subscription = stage.subscribe({ to: ref })
    refused(() => subscription.resubscribe({ resubscribe: {} }))
    const named = stage.subscribe({ to: numbers })
    expect(() => named.resubscribe({ resubscribe: {} })).not.toThrow()
  })

  it.each([{ resubscribe: {} }, { redeliver: true }])('X21 X22 a reader refuses %o: nobody starts it again', async options => {
    const { runtime } = world()
    const ref = startNumbers(runtime)
    const [option] = Object.keys(options)
    const expected = refusal('BAD_OPTION', option, 'unknown option', option ?? '')
    expect(() => ref.stream(options as object)).toThrow(expect.objectContaining(expected) as Error)
    expect(failure.error).toBe(boom)
  })

  const limits: readonly (readonly [id: string, value: unknown, option: string, says: string])[] = [
    ['BAD-20', false, 'redeliver', 'true, or { limit }, not false'],
    ['BAD-7', null, 'redeliver', 'not null'],
    ['BAD-20', 3, 'redeliver', 'not 3'],
    ['BAD-20', [], 'redeliver', 'not an empty array'],
    ['BAD-19', { limits: 3 }, 'limits', 'did you mean limit?'],
    ['BAD-1', { limit: 0 }, 'limit', 'from 1, or Infinity, not 0'],
    ['BAD-2', { limit: -1 }, 'limit', 'not -1'],
    ['BAD-3', { limit: 1.5 }, 'limit', 'not 1.5'],
    ['BAD-6', { limit: '3' }, 'limit', 'not "3"'],
  ]

  it.each(limits)('%s redeliver %o is refused at the call, and logged', (_id, value, option, says) => {
    const { runtime, lines } = world()
    const stage = start(sink(), { runtime, name: 'sink' })
    const expected = refusal('BAD_OPTION', option, 'stage "sink"', 'redeliver', says)
    expect(() => stage.subscribe({ to: numbers, redeliver: wrong(value) })).toThrow(expect.objectContaining(expected) as Error)
    expect(lines).toMatchObject([{ fields: { code: 'bad_opts', option } }])
  })

  it.each([
    ['resubscrib', 'resubscribe'],
    ['redelivery', 'redeliver'],
  ])('BAD-19 %s: did you mean %s?', async (misspelt, option) => {
    const { runtime } = world()
    startNumbers(runtime)
    const subscription = start(sink(), { runtime }).subscribe({
      to: numbers,
      cancel: 'temporary',
      ...deliberately<object>({ [misspelt]: true }),
    })
    expect(await rejectionOf(subscription.accepted)).toMatchObject(refusal('BAD_OPTION', misspelt, `did you mean ${option}?`))
  })
})
