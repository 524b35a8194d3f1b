import { type Context, type InFlight, inFlight, type Maybe, type Subscription } from '@genstage/core'
import { ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { checkFunction } from './function-option.ts'
import { Slots } from './slots.ts'
import { isPromise, type Work, workUntilGivenUp } from './work.ts'

/** Options of the stages that call a function for each event. */
export interface ConcurrencyOptions {
  /**
   * How many calls may be under way at once. The stage then asks for so many events (whatever `maxDemand` is), each time for one more
   * when one is done, and hands on each result as soon as it and all before it are there. Without it the events of a batch are worked
   * off one after the other, and their results go on together.
   */
  readonly concurrency?: number
}

/** A function for each event, and what becomes of its answers. */
export interface PerEvent<In, Answer, Out> {
  readonly call: (event: In, work: Work) => Maybe<Answer>
  /** Adds what an event becomes to `out`. */
  readonly give: (answer: Answer, event: In, out: Out[]) => void
  /** Undefined: one after the other. */
  readonly concurrency: number | undefined
}

/** Checks what such a stage is made with (`BAD_OPTION`). Answers the concurrency. */
export function checkPerEvent(where: string, fn: unknown, options: unknown): number | undefined {
  checkFunction(where, 'fn', fn)
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['concurrency'])
  return own['concurrency'] === undefined ? undefined : wholeNumber(where, own, 'concurrency', 1, { min: 1 })
}

/** The callbacks of a stage that calls a function for each event. */
export interface EventCallbacks<In, Out> {
  handleEvents(events: readonly In[], from: Subscription): Maybe<readonly Out[]> | InFlight<readonly Out[]>
  /** With a concurrency: asks for the first events. */
  readonly ask?: (from: Subscription) => void
  close(): void
}

/** Makes the callbacks of one life. `inOrder`: a call that takes long holds up those behind it, as their results have to wait for it. */
export function callbacksPerEvent<In, Answer, Out>(
  ctx: Context,
  { call, give, concurrency }: PerEvent<In, Answer, Out>,
  inOrder: boolean,
): EventCallbacks<In, Out> {
  const { work, giveUp } = workUntilGivenUp(ctx)
  if (concurrency === undefined) return { handleEvents: events => oneByOne(events, work, call, give), close: giveUp }
  const slots = new Slots(concurrency)
  /** Settles when all calls up to the last one are done. */
  let allBefore: Promise<unknown> = Promise.resolve()

  /** One more for each that is done, unless the stage is to end. */
  function askAgain(from: Subscription, done: Promise<unknown>): void {
    const ask = (): void => {
      if (!ctx.stopping.aborted) from.ask(1)
    }
    allBefore = inOrder ? Promise.all([allBefore, done]) : done
    allBefore.then(ask, () => {}) // of a failure the stage is told by the batch
  }

  return {
    handleEvents(events, from) {
      const calls = events.map(event => {
        const answer = slots.run(() => {
          work.signal.throwIfAborted()
          return call(event, work)
        })
        askAgain(from, answer)
        return answer
      })
      return inFlight(
        Promise.all(calls).then(answers => {
          const out: Out[] = []
          events.forEach((event, index) => give(answers[index] as Answer, event, out))
          return out
        }),
      )
    },
    // One by one, so that the events come one by one where they are there: a result waits for those of its own message
    ask(from) {
      for (let asked = 0; asked < concurrency; asked++) from.ask(1)
    },
    close: giveUp,
  }
}

/** One call after the other. As long as no answer is a promise, none is made. */
export function oneByOne<In, Answer, Out>(
  events: readonly In[],
  work: Work,
  call: PerEvent<In, Answer, Out>['call'],
  give: PerEvent<In, Answer, Out>['give'],
): Maybe<readonly Out[]> {
  const out: Out[] = []
  for (let index = 0; index < events.length; index++) {
    const event = events[index] as In
    const answer = call(event, work)
    if (isPromise(answer)) return goOn(answer, index)
    give(answer, event, out)
  }
  return out

  async function goOn(pending: PromiseLike<Answer>, at: number): Promise<readonly Out[]> {
    give(await pending, events[at] as In, out)
    for (let index = at + 1; index < events.length; index++) {
      const event = events[index] as In
      give(await call(event, work), event, out)
    }
    return out
  }
}
