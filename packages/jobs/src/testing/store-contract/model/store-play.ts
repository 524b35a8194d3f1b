import type { ClaimRequest, NewJob, Settlement, Store } from '../../../store.ts'
import { codeOf, same } from '../same.ts'
import { leaseMs, settlement } from '../store-bench.ts'
import type { StoreUnderTest } from '../store-under-test.ts'
import { Comparison } from './comparison.ts'
import { endingOf, newJobOf } from './drawn.ts'
import { type DrawnClaim, type DrawnEnding, type DrawnJob, type Operation, runners } from './operations.ts'
import { modelCrashLimit, StoreModel } from './store-model.ts'

/** Does every operation on a store and on the model, and compares all that can be seen. */
export class StorePlay {
  readonly #under: StoreUnderTest
  readonly #store: Store
  readonly #model: StoreModel
  readonly #compare: Comparison
  /** What was sent to be inserted. */
  readonly #sent: NewJob[] = []

  private constructor(under: StoreUnderTest, now: number) {
    this.#under = under
    this.#store = under.store
    this.#model = new StoreModel(now)
    this.#compare = new Comparison(under.store, this.#model)
  }

  /** Begins with two runners, and with the time of the store. */
  static async begin(under: StoreUnderTest): Promise<StorePlay> {
    for (const id of runners.slice(0, 2)) await registerIn(under.store, id)
    const [runner] = await under.store.runners()
    const play = new StorePlay(under, runner?.startedAt ?? 0)
    for (const id of runners.slice(0, 2)) play.#model.registered.add(id)
    return play
  }

  async perform(operation: Operation): Promise<void> {
    await this.#perform(operation)
    // To ask for stats may do something: not between a time that comes and what happens then
    if (operation.type !== 'advance') await this.#compare.stats(operation.type)
  }

  /** Compares every job that was ever sent, and what each runner holds and is to cancel. */
  async compareAll(): Promise<void> {
    await this.#compare.jobs([...new Set(this.#sent.map(({ id }) => id))])
    for (const runner of runners) await this.#compare.runner(runner)
  }

  async #perform(operation: Operation): Promise<void> {
    const [store, model] = [this.#store, this.#model]
    switch (operation.type) {
      case 'insert':
        return this.#insert(operation.jobs)
      case 'claim': {
        const request = await this.#request(operation.claim)
        return this.#compare.claimed(await store.claim(request), model.claim(request))
      }
      case 'settle':
        return this.#settle(operation.endings, operation.next)
      case 'begin':
      case 'report':
        return this.#tell(operation.type, operation.claims)
      case 'cancel': {
        const ids = this.#ids(operation.jobs)
        return same(
          await store.cancel(ids, 'by hand'),
          ids.map(id => model.cancel(id, 'by hand')),
          'cancel',
        )
      }
      case 'remove': {
        const ids = this.#ids(operation.jobs)
        return same(
          await store.remove(ids),
          ids.map(id => model.remove(id)),
          'remove',
        )
      }
      case 'retry': {
        const ids = this.#ids(operation.jobs)
        return same(
          await store.retry(ids),
          ids.map(id => model.retry(id)),
          'retry',
        )
      }
      case 'reschedule': {
        const [ids, { inMs }] = [this.#ids(operation.jobs), operation]
        return same(
          await store.reschedule(ids, inMs),
          ids.map(id => model.reschedule(id, inMs)),
          'reschedule',
        )
      }
      case 'pause':
        model.paused.add(operation.queue)
        model.knownQueues.add(operation.queue)
        return store.pauseQueue(operation.queue)
      case 'resume':
        model.paused.delete(operation.queue)
        return store.resumeQueue(operation.queue)
      case 'clear':
        return same(await store.clearQueue(operation.queue), model.clear(operation.queue), 'jobs cleared')
      case 'removeQueue': {
        const refused = model.removeQueue(operation.queue)
        const answer = store.removeQueue(operation.queue)
        if (refused === undefined) return answer
        return same(await codeOf(answer), refused, 'code of removeQueue')
      }
      case 'heartbeat':
        return this.#heartbeat(operation.runner)
      case 'leave':
        model.leave(operation.runner)
        return store.unregister(operation.runner)
      case 'die':
        return this.#die(operation.runner)
      case 'prune':
        return this.#compare.prune(operation.state, operation.ms, operation.keep, operation.limit)
      case 'list':
        await this.#compare.list(operation.queue, operation.states, operation.limit)
        return this.compareAll()
      case 'advance':
        return this.#advance(operation.ms)
    }
  }

  async #insert(drawn: readonly DrawnJob[]): Promise<void> {
    const jobs = drawn.map(job => this.#newJob(job))
    const wanted = this.#model.insert(jobs)
    const answer = this.#store.insert(jobs)
    if (wanted === 'ID_CONFLICT') return same(await codeOf(answer), wanted, 'code of the insert')
    same(await answer, wanted, 'insert')
  }

  #newJob(drawn: DrawnJob): NewJob {
    const sent = drawn.again === undefined ? undefined : this.#sent.at(-1 - drawn.again)
    if (sent !== undefined) return drawn.clashes ? { ...sent, args: `${sent.args}0` } : sent
    const job = newJobOf(drawn, this.#sent.length + 1, this.#model.now)
    this.#sent.push(job)
    return job
  }

  async #settle(endings: readonly DrawnEnding[], next: DrawnClaim | undefined): Promise<void> {
    const settlements: Settlement[] = []
    const wanted: boolean[] = []
    const request = next === undefined ? undefined : await this.#request(next)
    for (const { claim: back, to, inMs } of endings) {
      const claimed = this.#compare.claimAt(back)
      if (claimed === undefined) continue
      const ending = endingOf(to, inMs)
      settlements.push(settlement(claimed.job, ending, inMs))
      wanted.push(this.#model.settle(claimed.number, ending, inMs))
    }
    const { accepted, claimed } = await this.#store.settle(settlements, request)
    same(accepted, wanted, 'settlements accepted')
    if (request === undefined) same(claimed, undefined, 'what was claimed without asking')
    else this.#compare.claimed(claimed ?? { jobs: [], paused: false }, this.#model.claim(request))
  }

  async #tell(type: 'begin' | 'report', claims: readonly number[]): Promise<void> {
    const told = claims.flatMap(back => this.#compare.claimAt(back) ?? [])
    const wanted = told.map(({ number }) => {
      const job = this.#model.heldBy(number)
      if (job !== undefined && type === 'begin') job.begun = true
      if (job !== undefined && type === 'report') {
        job.progress = `${number}`
        job.logged.push(`${number}`)
      }
      return job !== undefined
    })
    const held = told.map(({ job: { seq, token }, number }) => ({ seq, token, number }))
    const reports = held.map(({ seq, token, number }) => {
      const line = { level: 'info', message: `${number}`, at: number } as const
      return { seq, token, progress: `${number}`, logs: [line] }
    })
    const answer =
      type === 'begin' ? this.#store.begin(held.map(({ seq, token }) => ({ seq, token }))) : this.#store.report(reports)
    same(await answer, wanted, type)
  }

  /** Comes, where it is not there. */
  async #heartbeat(runner: string): Promise<void> {
    const { alive } = await this.#store.heartbeat(runner, leaseMs)
    same(alive, this.#model.registered.has(runner), `whether ${runner} is alive`)
    if (!alive) return this.#register(runner)
    await this.#compare.runner(runner)
  }

  async #die(victim: string): Promise<void> {
    if (!this.#model.registered.has(victim)) return
    const survivors = runners.filter(runner => runner !== victim)
    const [asking = ''] = survivors
    for (const runner of survivors) if (!this.#model.registered.has(runner)) await this.#register(runner)
    for (const runner of runners) await this.#store.heartbeat(runner, leaseMs)
    const none = await this.#store.rescue({ runner: asking, crashLimit: modelCrashLimit, limit: 1_000 })
    same(none, { runners: [], jobs: [], more: false }, 'a rescue while all live')
    for (let part = 0; part < 2; part++) {
      await this.#advance(leaseMs / 2 + 1)
      for (const runner of survivors) await this.#store.heartbeat(runner, leaseMs)
    }
    const rescued = await this.#store.rescue({ runner: asking, crashLimit: modelCrashLimit, limit: 1_000 })
    const wanted = this.#model.die(victim).map(({ id, queue, kind, state }) => ({ id, queue, kind, state }))
    same([rescued.runners, rescued.more], [[victim], false], 'runners found dead, and whether there are more jobs')
    same(byId(rescued.jobs), byId(wanted), 'jobs rescued')
  }

  async #advance(ms: number): Promise<void> {
    await this.#under.advance(ms)
    this.#model.advance(ms)
  }

  /** A claim by a runner that has gone is tried where it wants the most; else the runner comes first. */
  async #request(drawn: DrawnClaim): Promise<ClaimRequest> {
    if (!this.#model.registered.has(drawn.runner) && drawn.limit < 4) await this.#register(drawn.runner)
    return drawn
  }

  async #register(runner: string): Promise<void> {
    await registerIn(this.#store, runner)
    this.#model.registered.add(runner)
  }

  #ids(jobs: readonly number[]): readonly string[] {
    return jobs.map(back => this.#sent.at(-1 - back)?.id ?? 'of nobody')
  }
}

async function registerIn(store: Store, id: string): Promise<void> {
  await store.register({ id, host: 'here', pid: 4_242, queues: [] }, leaseMs)
}

function byId<T extends { readonly id: string }>(jobs: readonly T[]): readonly T[] {
  return jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
