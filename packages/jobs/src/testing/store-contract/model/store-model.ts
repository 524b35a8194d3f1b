import type { Claimed, ClaimRequest, Inserted, NewJob } from '../../../store.ts'
import type { Ending } from '../store-bench.ts'
import { isEnded, isOpen, type ModelJob, modelJob, record } from './model-job.ts'
import { ModelState } from './model-state.ts'

/** Low, so that random sequences reach it. */
export const modelCrashLimit = 2

/** What the model says of a claim. */
export interface ModelClaimed extends Omit<Claimed, 'jobs'> {
  readonly jobs: readonly ModelJob[]
}

/**
 * What a store does, in the plainest way: a list of jobs that is searched and sorted each time. Written from the contract, with nothing
 * of any store in it.
 */
export class StoreModel extends ModelState {
  insert(jobs: readonly NewJob[]): readonly Inserted[] | 'ID_CONFLICT' {
    const before = this.jobs.map(job => ({ job, fields: { ...job } }))
    const keys = this.uniques.copy()
    const queuesBefore = [...this.knownQueues]
    const answers: Inserted[] = []
    for (const job of jobs) {
      const answer = this.#insert(job)
      if (answer === undefined) {
        this.jobs = before.map(({ job: one, fields }) => Object.assign(one, fields))
        this.uniques.restore(keys)
        this.knownQueues.clear()
        for (const queue of queuesBefore) this.knownQueues.add(queue)
        return 'ID_CONFLICT'
      }
      answers.push(answer)
    }
    return answers
  }

  claim({ runner, queue, limit, kinds }: ClaimRequest): ModelClaimed {
    const paused = this.paused.has(queue)
    const isReady = this.registered.has(runner) && !paused
    const jobs = this.jobs
      .filter(job => isReady && job.queue === queue && job.state === 'waiting' && kinds.includes(job.kind))
      .toSorted((a, b) => a.priority - b.priority || a.runAt - b.runAt || a.order - b.order)
      .slice(0, limit)
    for (const job of jobs) {
      job.state = 'running'
      job.attempt++
      job.runner = runner
      job.startedAt = this.now
      job.begun = false
      job.claim = ++this.claims
      this.uniques.started(job)
    }
    const times = this.jobs.filter(job => job.queue === queue && job.state === 'delayed').map(({ runAt }) => runAt - this.now)
    return { jobs, paused, nextInMs: times.length === 0 ? undefined : Math.min(...times) }
  }

  settle(claim: number, ending: Ending, ranMs: number): boolean {
    const job = this.heldBy(claim)
    if (job === undefined) return false
    job.startedAt = this.now - ranMs
    const isCancelled = job.cancelReason !== undefined && ['retry', 'snooze', 'release'].includes(ending.to)
    if ('failure' in ending) job.failure = ending.failure
    if ('result' in ending) job.result = ending.result
    if (isCancelled || ending.to === 'cancelled') {
      job.cancelReason ??= ending.to === 'cancelled' ? ending.reason : ''
      record(job, 'cancelled', this.now, 'failure' in ending ? ending.failure : undefined)
      this.end(job, 'cancelled')
    } else if (ending.to === 'retry' || ending.to === 'snooze') {
      record(job, ending.to, this.now, 'failure' in ending ? ending.failure : undefined)
      if (ending.to === 'snooze') job.attempt--
      this.wait(job, this.now + ending.inMs)
    } else if (ending.to === 'release') this.release(job)
    else {
      if (ending.to !== 'completed') record(job, ending.to, this.now, 'failure' in ending ? ending.failure : undefined)
      this.end(job, ending.to)
    }
    return true
  }

  leave(runner: string): void {
    this.registered.delete(runner)
    for (const job of this.heldByRunner(runner)) {
      if (job.cancelReason === undefined) this.release(job)
      else {
        record(job, 'cancelled', this.now)
        this.end(job, 'cancelled')
      }
    }
  }

  /** Rescues what this runner held. */
  die(runner: string): readonly ModelJob[] {
    this.registered.delete(runner)
    const held = this.heldByRunner(runner)
    for (const job of held) {
      if (job.crashes === 0 || job.begun) {
        record(job, 'crash', this.now)
        job.crashes++
      }
      job.attempt--
      if (job.cancelReason !== undefined) this.end(job, 'cancelled')
      else if (job.crashes >= modelCrashLimit) {
        job.failure = { code: 'RUNNER_CRASHED', name: '', message: '' }
        this.end(job, 'failed')
      } else this.wait(job, job.runAt)
    }
    return held
  }

  cancel(id: string, reason: string): string {
    const job = this.find(id)
    if (job === undefined) return 'missing'
    if (isEnded(job)) return 'finished'
    job.cancelReason ??= reason
    if (!isOpen(job)) return 'requested'
    this.end(job, 'cancelled')
    return 'cancelled'
  }

  reschedule(id: string, inMs: number): string {
    const job = this.find(id)
    if (job === undefined) return 'missing'
    if (!isOpen(job)) return job.state === 'running' ? 'running' : 'finished'
    this.wait(job, this.now + inMs)
    return 'rescheduled'
  }

  retry(id: string): string {
    const job = this.find(id)
    if (job === undefined) return 'missing'
    if (job.state === 'completed') return 'completed'
    if (!isEnded(job)) return 'active'
    Object.assign(job, { attempt: 0, crashes: 0, finishedAt: undefined, cancelReason: undefined, result: undefined })
    this.wait(job, this.now)
    return 'retried'
  }

  remove(id: string): string {
    const job = this.find(id)
    if (job === undefined) return 'missing'
    if (job.state === 'running') return 'running'
    this.drop([job])
    return 'removed'
  }

  clear(queue: string): number {
    const open = this.jobs.filter(job => job.queue === queue && isOpen(job))
    this.drop(open)
    return open.length
  }

  removeQueue(queue: string): 'QUEUE_NOT_EMPTY' | undefined {
    const jobs = this.jobs.filter(job => job.queue === queue)
    if (jobs.some(job => !isEnded(job))) return 'QUEUE_NOT_EMPTY'
    this.drop(jobs)
    this.paused.delete(queue)
    this.knownQueues.delete(queue)
    return undefined
  }

  #insert(job: NewJob): Inserted | undefined {
    const { id, queue, kind, version, args } = job
    const known = this.find(id)
    if (known !== undefined) {
      const isSame = known.queue === queue && known.kind === kind && known.version === version && known.args === args
      return isSame ? { id, outcome: 'duplicate' } : undefined
    }
    const runAt = job.runAt ?? this.now + job.delayMs
    const verdict = this.uniques.verdict(job, this.now, holder => this.jobs.includes(holder))
    if (verdict.type === 'duplicate') {
      const { holder } = verdict
      const isElsewhere = this.jobs.includes(holder) && holder.queue !== queue
      return { id: holder.id, outcome: 'duplicate', ...(isElsewhere && { queue: holder.queue }) }
    }
    if (verdict.type === 'replace') {
      const { holder } = verdict
      const { priority, maxAttempts } = job
      Object.assign(holder, {
        version,
        args,
        priority,
        maxAttempts,
        attempt: 0,
        crashes: 0,
        progress: undefined,
      })
      this.wait(holder, runAt)
      return { id: holder.id, outcome: 'replaced' }
    }
    const stored = modelJob(job, ++this.stored, this.now, verdict.at ?? runAt)
    this.jobs.push(stored)
    this.knownQueues.add(queue)
    if (job.unique !== undefined) this.uniques.take(stored, job.unique, verdict.at ?? this.now, verdict.at !== undefined)
    return { id, outcome: 'inserted' }
  }
}
