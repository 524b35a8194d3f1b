import type { Clock } from '@genstage/core'
import { JobsError, type JobsErrorCode } from '../errors.ts'
import type { Hint, Store, StoreContext } from '../store.ts'

/** The calls that a fault can be put on. */
export type StoreMethod = Exclude<keyof Store, 'name' | 'listen'>

/** One call of a store. */
export interface StoreCall {
  readonly method: StoreMethod
  readonly args: readonly unknown[]
  /** The first call of all is 1. */
  readonly index: number
  /** The first call of this method is 1. */
  readonly nth: number
  /** Resolves after so many milliseconds, by the clock that the store was opened with. */
  delay(ms: number): Promise<void>
  /** Never settles. */
  never(): Promise<never>
}

/** What goes wrong, and when. What is left out goes right. */
export interface FaultPlan {
  /** Before the call is carried out: what it throws is the answer, and nothing was done. */
  before?(call: StoreCall): void | PromiseLike<void>
  /** When it has been carried out, and not yet answered: what it throws is the answer, although all was done. */
  after?(call: StoreCall, answer: unknown): void | PromiseLike<void>
  /** In place of a hint: pass it on, once, twice, later, or not at all. */
  hint?(hint: Hint, pass: (hint: Hint) => void): void
}

/**
 * A store with faults, for tests of whatever depends on one: before and after each call the plan may throw, wait, or never answer.
 *
 * ```ts
 * import { memoryStore, openClient } from '@genstage/jobs'
 * import { faultyStore, storeFault } from '@genstage/jobs/testing'
 *
 * const store = faultyStore(memoryStore(), {
 *   before: ({ method, nth }) => {
 *     if (method === 'insert' && nth === 1) throw storeFault('STORE_BUSY')
 *   },
 * })
 * const client = openClient({ store })
 * console.log(await client.enqueue('greet').catch(error => error.code)) // => STORE_BUSY
 * console.log((await client.enqueue('greet')).outcome) // => inserted
 * await client.close()
 * ```
 */
export function faultyStore(store: Store, plan: FaultPlan): Store {
  const counts = new Map<StoreMethod, number>()
  let calls = 0
  let clock: Clock | undefined

  const delay = (ms: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (clock === undefined) reject(new JobsError('STORE_FAILED', 'a store that is not open has no clock to wait by'))
      else clock.setTimer(ms, resolve)
    })

  const faulty =
    <Args extends readonly unknown[], Answer>(
      method: StoreMethod,
      work: (...args: Args) => Promise<Answer>,
    ): ((...args: Args) => Promise<Answer>) =>
    async (...args) => {
      const nth = (counts.get(method) ?? 0) + 1
      counts.set(method, nth)
      const call: StoreCall = { method, args, index: ++calls, nth, delay, never: () => new Promise(() => {}) }
      await plan.before?.(call)
      const answer = await work(...args)
      await plan.after?.(call, answer)
      return answer
    }

  const open = faulty('open', (context: StoreContext) => store.open(context))
  const { startHeart } = store
  return {
    name: store.name,
    open: context => {
      clock = context.clock
      return open(context)
    },
    close: faulty('close', () => store.close()),
    insert: faulty('insert', jobs => store.insert(jobs)),
    claim: faulty('claim', request => store.claim(request)),
    settle: faulty('settle', (settlements, next) => store.settle(settlements, next)),
    begin: faulty('begin', held => store.begin(held)),
    report: faulty('report', reports => store.report(reports)),
    register: faulty('register', (runner, leaseMs) => store.register(runner, leaseMs)),
    heartbeat: faulty('heartbeat', (runner, leaseMs, figures) => store.heartbeat(runner, leaseMs, figures)),
    unregister: faulty('unregister', runner => store.unregister(runner)),
    ...(startHeart === undefined ? {} : { startHeart: faulty('startHeart', options => startHeart.call(store, options)) }),
    rescue: faulty('rescue', request => store.rescue(request)),
    holdings: faulty('holdings', runner => store.holdings(runner)),
    cancellations: faulty('cancellations', runner => store.cancellations(runner)),
    find: faulty('find', ids => store.find(ids)),
    list: faulty('list', query => store.list(query)),
    logs: faulty('logs', id => store.logs(id)),
    remove: faulty('remove', ids => store.remove(ids)),
    cancel: faulty('cancel', (ids, reason) => store.cancel(ids, reason)),
    reschedule: faulty('reschedule', (ids, inMs) => store.reschedule(ids, inMs)),
    retry: faulty('retry', ids => store.retry(ids)),
    stats: faulty('stats', () => store.stats()),
    pauseQueue: faulty('pauseQueue', queue => store.pauseQueue(queue)),
    resumeQueue: faulty('resumeQueue', queue => store.resumeQueue(queue)),
    clearQueue: faulty('clearQueue', queue => store.clearQueue(queue)),
    removeQueue: faulty('removeQueue', queue => store.removeQueue(queue)),
    runners: faulty('runners', () => store.runners()),
    lead: faulty('lead', runner => store.lead(runner)),
    prune: faulty('prune', request => store.prune(request)),
    listen: listener => store.listen(hint => (plan.hint === undefined ? listener(hint) : plan.hint(hint, listener))),
  }
}

/** The error of a planned fault: a `JobsError`, by default `STORE_UNAVAILABLE`. */
export function storeFault(code: JobsErrorCode = 'STORE_UNAVAILABLE'): JobsError {
  return new JobsError(code, 'a planned fault')
}

/** Where a fault is put. */
export interface OneFault {
  /** Which call: the first is 1. Of `method` where that is given, else of all. */
  readonly nth: number
  readonly method?: StoreMethod
  /** `before`: nothing was done; `after`: all was done, and only the answer is lost. Default `before`. */
  readonly when?: 'before' | 'after'
  /** What the call is answered with; `'hang'`: with nothing, ever. Default `STORE_UNAVAILABLE`. */
  readonly answer?: JobsErrorCode | 'hang'
}

/**
 * A plan with a single fault. `hasHappened` tells whether its call was made: a test goes through all calls with
 * `nth` 1, 2, … until a run is over without the fault.
 */
export function oneFault({ nth, method, when = 'before', answer = 'STORE_UNAVAILABLE' }: OneFault): FaultPlan & {
  readonly hasHappened: boolean
} {
  let hasHappened = false
  const strike = (call: StoreCall): void | Promise<never> => {
    const isIt = method === undefined ? call.index === nth : call.method === method && call.nth === nth
    if (!isIt) return
    hasHappened = true
    if (answer === 'hang') return call.never()
    throw storeFault(answer)
  }
  return {
    [when]: strike,
    get hasHappened() {
      return hasHappened
    },
  }
}
