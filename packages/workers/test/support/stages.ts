/** Definitions that the tests run on threads. */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'
import {
  type Context,
  consumer,
  type Ended,
  GenStageError,
  ignore,
  inFlight,
  type Messages,
  producer,
  producerConsumer,
  type Subscriber,
  type Subscription,
  supervisor,
} from '@genstage/core'
import { seededRandom } from '@genstage/testing'

const immediate = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const Double = producerConsumer(() => ({
  handleEvents: (numbers: readonly number[]) => numbers.map(number => number * 2),
}))

/** Hands on what it gets. */
export const Echo = producerConsumer(() => ({ handleEvents: (events: readonly unknown[]) => events }))

export const EchoLater = producerConsumer(() => ({
  async handleEvents(events: readonly unknown[]) {
    await immediate()
    return events
  },
}))

/** Batches that are done in another order than they came. */
export const EchoInFlight = producerConsumer(() => {
  let batches = 0
  return {
    handleEvents(events: readonly number[]) {
      const turns = batches++ % 3
      const work = async (): Promise<readonly number[]> => {
        for (let turn = 0; turn < turns * 5; turn++) await immediate()
        return events
      }
      return inFlight(work())
    },
  }
})

/** Tells what its context knows. */
export const Where = producerConsumer((arg: { readonly greeting: string }, ctx) => ({
  handleEvents: (events: readonly number[]) =>
    events.map(event => ({
      event,
      greeting: arg.greeting,
      isMainThread,
      isOther: threadId > 0,
      name: ctx.name,
      self: ctx.self.name,
      restartCount: ctx.restartCount,
      stopping: ctx.stopping.aborted,
      signal: ctx.signal.aborted,
      now: typeof ctx.clock.now(),
    })),
}))

/** A class instance with private state is a good record of callbacks. */
class Summing {
  #sum = 0

  handleEvents(numbers: readonly number[]): readonly number[] {
    for (const number of numbers) this.#sum += number
    return [this.#sum]
  }

  handleCall(_request: 'sum'): { readonly reply: number } {
    return { reply: this.#sum }
  }
}
export const Sum = producerConsumer(() => new Summing())
export const FrozenSum = producerConsumer(() => Object.freeze(new Summing()))

/** Everything that can be said to a stage, and what it says in return. */
export const Talker = producerConsumer((_: void, ctx: Context<string>) => {
  let later: ((value: string) => void) | undefined
  return {
    handleEvents: (events: readonly string[]) => events.map(event => `event ${event}`),
    handleCall(request: string, reply: (value: string) => void) {
      if (request === 'later') {
        later = reply
        return undefined
      }
      if (request === 'never') return undefined
      return { reply: `reply ${request}`, events: [`call ${request}`] }
    },
    handleCast(message: string) {
      if (message === 'stop') ctx.stop()
      if (message === 'stop for a reason') ctx.stop({ type: 'other', value: 'a reason' })
      if (message === 'answer') later?.('late')
      if (message === 'after') ctx.after(1, 'the timer')
      if (message === 'self') ctx.self.send('myself')
      if (message === 'log') ctx.logger.warn('a line', { of: 'mine', error: new RangeError('in the log'), odd: () => 1 })
      if (message === 'discard') ctx.discard(['lost'], 'source_overflow')
      if (message === 'fail') throw new Error('told to')
      return [`cast ${message}`]
    },
    handleInfo: (message: string) => [`info ${message}`],
  }
})

/** Without anything that could answer a message. */
export const Mute = producerConsumer(() => ({ handleEvents: (events: readonly unknown[]) => events }))

/** Asks by hand: one event at a time, and the next when it is told to. */
export const ByHand = producerConsumer(() => {
  let from: Subscription | undefined
  return {
    handleSubscribe(link: Subscription | Subscriber) {
      if (link.role !== 'producer') return undefined
      from = link
      link.ask(1)
      return 'manual' as const
    },
    handleEvents: (events: readonly number[]) => events,
    handleCast(message: 'next' | 'cancel'): void {
      if (message === 'next') from?.ask(2)
      else from?.cancel('shutdown')
    },
  }
})

/** Tells of its subscriptions. */
export const Subscribed = producerConsumer(() => {
  const told = (what: string, { role, producer: { name }, options }: Subscription | Subscriber): string =>
    `${what} ${role} ${name} ${String(options.partition)}`
  const seen: string[] = []
  return {
    handleSubscribe(from: Subscription | Subscriber): void {
      if (from.role === 'producer') seen.push(told('subscribed', from))
    },
    handleCancel({ kind, reason }: Ended, from: Subscription | Subscriber) {
      return [...seen, `${told('ended', from)} ${kind} ${reason.type}`]
    },
    handleEvents: (events: readonly string[], from: Subscription) => events.map(event => `${event} of ${from.producer.name}`),
  }
})

/** Consumers: they keep what they get until they are asked. */
export const Keeper = consumer((_: void, ctx) => {
  const kept: unknown[] = []
  return {
    handleEvents(events: readonly unknown[]) {
      kept.push(...events)
    },
    handleCall(request: 'kept' | 'stop') {
      if (request === 'stop') ctx.stop()
      return { reply: [...kept] }
    },
  }
})

/** Takes its time for every batch; less than none means that it fails. */
export const Slow = consumer((ms: number) => ({
  async handleEvents(events: readonly number[]) {
    if (ms < 0) throw new Error('less than no time')
    await new Promise(resolve => setTimeout(resolve, ms))
    console.log(`handled ${events.join(' ')}`)
  },
}))

/** Posts what it gets to a channel, and waits in a batch while that is wanted. */
export const Poster = consumer((name: string) => {
  const channel = new BroadcastChannel(name)
  let paused: Promise<void> | undefined
  let resume = (): void => {}
  channel.onmessage = message => {
    const { data } = message as { readonly data: unknown }
    if (data === 'pause') {
      paused = new Promise(resolve => {
        resume = resolve
      })
    } else if (data === 'resume') {
      paused = undefined
      resume()
    }
  }
  channel.unref()
  return {
    async handleEvents(events: readonly unknown[]) {
      for (const event of events) {
        await paused
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no origin
        channel.postMessage({ event })
      }
    },
    terminate: () => channel.close(),
  }
})

/** Fails as it is told to, when an event says so. */
export type Failure =
  | 'throw'
  | 'reject'
  | 'typed'
  | 'value'
  | 'stage'
  | 'uncaught'
  | 'unhandled'
  | 'exit'
  | 'exit 0'
  | 'memory'
  | 'loop'
  | 'wrong'
  | 'cycle'

class HashError extends TypeError {
  override readonly name = 'HashError'
  readonly code = 'E_HASH'
}

export const Failing = producerConsumer((_: void, ctx) => ({
  handleEvents(events: readonly (Failure | 'fine')[]): readonly unknown[] | Promise<readonly unknown[]> {
    for (const event of events) {
      switch (event) {
        case 'throw':
          throw new Error('thrown on the thread')
        case 'reject':
          return Promise.reject(new RangeError('rejected on the thread'))
        case 'typed':
          throw new HashError('no digest', { cause: new AggregateError([new RangeError('one'), 'two'], 'both') })
        case 'value':
          // oxlint-disable-next-line typescript/only-throw-error -- anything may be thrown
          throw { plain: 'value' }
        case 'stage':
          throw new GenStageError('TIMEOUT', 'too slow', { stage: 'other', cause: new Error('slow') })
        case 'uncaught':
          setImmediate(() => {
            throw new HashError('nobody caught it')
          })
          return new Promise(() => {})
        case 'unhandled':
          void Promise.reject(new HashError('nobody handled it'))
          return new Promise(() => {})
        case 'exit':
          process.exit(7)
          break
        case 'exit 0':
          process.exit(0)
          break
        case 'memory': {
          const hoard: number[][] = []
          for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length))
        }
        case 'loop':
          for (;;);
        case 'wrong':
          return 'no array' as unknown as readonly unknown[]
        case 'cycle': {
          const error = new Error('its own cause')
          error.cause = error
          throw error
        }
        case 'fine':
      }
    }
    return events
  },
  terminate(reason) {
    ctx.logger.info(`terminate: ${reason.type}`)
  },
}))

/** Fails elsewhere than in a batch. */
export const FailingElsewhere = producerConsumer(
  (how: 'setup' | 'setup later' | 'ignore' | 'stop' | 'exit' | 'callbacks' | 'hang' | 'terminate' | 'terminate hangs', ctx) => {
    if (how === 'setup') throw new HashError('no setup')
    if (how === 'exit') process.exit(3)
    if (how === 'stop') ctx.stop('shutdown')
    if (how === 'ignore') return ignore
    const callbacks = {
      handleEvents: (events: readonly unknown[]) => events,
      terminate() {
        if (how === 'terminate') throw new HashError('no end')
        return how === 'terminate hangs' ? new Promise<void>(() => {}) : undefined
      },
    }
    if (how === 'callbacks') return { ...callbacks, handelEvents() {}, handleEvent() {} }
    if (how === 'setup later') return Promise.reject(new HashError('no setup later'))
    return how === 'hang' ? new Promise<typeof callbacks>(() => {}) : callbacks
  },
)

/** Gives results that cannot cross. */
export const Uncloneable = producerConsumer.of<string, unknown>()(() => ({
  handleEvents: (events: readonly string[]) => events.map(event => (event === 'bad' ? () => event : event)),
  handleCast: () => [Symbol('bad')],
  handleCall: () => ({ reply: () => 'bad' }),
}))

/** Waits until it is told to go on, through shared memory, so that the test decides. */
export const Gated = producerConsumer((gate: SharedArrayBuffer, ctx) => {
  const cells = new Int32Array(gate)
  ctx.stopping.addEventListener('abort', () => Atomics.store(cells, 2, 1))
  return {
    handleEvents(events: readonly number[]) {
      Atomics.add(cells, 1, 1) // batches begun
      Atomics.notify(cells, 1)
      Atomics.wait(cells, 0, 0)
      return events
    },
    terminate() {
      Atomics.store(cells, 3, 1)
    },
  }
})

/** Adds up typed arrays, and hands them back. */
export const Scale = producerConsumer(() => ({
  handleEvents: (arrays: readonly Float64Array[]) => arrays.map(array => array.map(value => value * 2)),
}))

export const SumParts = producerConsumer(() => ({
  handleEvents: (events: readonly { readonly data: Int32Array }[]) =>
    events.map(({ data }) => data.reduce((sum, value) => sum + value, 0)),
}))

/** Counts every event in shared memory, behind the cell 0: while that is set, it dies at random in the middle of a batch. */
export const Mortal = consumer(({ memory, odds }: { readonly memory: SharedArrayBuffer; readonly odds: number }, ctx) => {
  const cells = new Int32Array(memory)
  const random = seededRandom(ctx.restartCount + 1)
  return {
    async handleEvents(events: readonly number[]) {
      for (const event of events) {
        if (Atomics.load(cells, 0) === 1 && random() < odds) process.exit(1)
        Atomics.add(cells, event, 1)
        if (random() < 0.1) await immediate()
      }
    },
  }
})

// what is no stage for a thread
export const Source = producer(() => ({ handleDemand() {} }))
export const Tree = supervisor([])
export const notADefinition = { handleEvents() {} }
export type Spoken = Messages<string, string, string, string>
export default Double
