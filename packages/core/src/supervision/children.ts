import { GenStageError, ownError, show } from '../errors.ts'
import type { Address } from '../protocol.ts'
import { failure, isGraceful, type Reason, shutdown } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import type { ChildInfo } from './child-info.ts'
import { ChildCommands, type CommandedChildren } from './child-commands.ts'
import { ChildRecord } from './child-record.ts'
import { ChildReports } from './child-reports.ts'
import type { CheckedChild } from './child.ts'
import { drainChild, endChild } from './end-child.ts'
import { type RestartSettings, RestartWindow } from './restart-window.ts'
import type { Guardian, Supervising, SupervisingHost } from './roles.ts'
import { companions, type Strategy } from './strategy.ts'

/** How a supervisor looks after its children. */
export interface SupervisorSettings {
  readonly strategy: Strategy
  readonly restarts: RestartSettings
}

/** Where a supervisor is in its life. `draining`: the children finish what is on their way; `over`: none of them is left. */
type Phase = 'starting' | 'running' | 'draining' | 'ending' | 'over'

/**
 * The children of a supervisor. Whatever happens to them comes as a message, so it is dealt with one at a time and never while
 * something else is under way. Nothing here waits: each message says what has changed, and `#goOn` does what can be done now. So a
 * child that takes long to start holds up neither the end of the supervisor nor the restart of another child.
 */
export class Children implements Supervising, CommandedChildren {
  readonly commands: ChildCommands
  readonly #host: SupervisingHost
  readonly #settings: SupervisorSettings
  readonly #window: RestartWindow
  readonly #reports: ChildReports
  /** By id, in the order of their start. */
  readonly #records = new Map<string, ChildRecord>()
  #phase: Phase = 'starting'
  /** Children with a stage. */
  #living = 0
  /** While the supervisor starts: its children, and how many of them have had their turn. */
  #first: readonly ChildRecord[]
  #begun = 0
  /** While it ends: those that are still to end, the last one first; and what to do then. */
  #remaining: ChildRecord[] = []
  #allGone: (() => void) | undefined

  constructor(host: SupervisingHost, specs: readonly CheckedChild[], settings: SupervisorSettings) {
    this.#host = host
    this.#settings = settings
    this.#window = new RestartWindow(settings.restarts)
    this.#reports = new ChildReports(host)
    this.commands = new ChildCommands(host, this)
    for (const spec of specs) this.add(spec).isWanted = true
    this.#first = [...this.#records.values()]
  }

  get records(): ReadonlyMap<string, ChildRecord> {
    return this.#records
  }

  get isStarting(): boolean {
    return this.#phase === 'starting'
  }

  get isLeaving(): boolean {
    return this.#phase !== 'starting' && this.#phase !== 'running'
  }

  get isEmpty(): boolean {
    return this.#living === 0
  }

  refOf(id: string): StageRef | undefined {
    return this.#records.get(id)?.ref
  }

  infos(): readonly ChildInfo[] {
    return [...this.#records.values()].map(record => record.info)
  }

  // ── the life of the supervisor

  setUp(): void {
    this.#goOn(undefined)
  }

  drain(): void {
    this.#leave('draining')
    for (const { stage, spec } of this.#records.values()) if (stage !== undefined) drainChild(stage, spec.shutdown)
  }

  end(done: () => void): void {
    this.#leave('ending')
    this.#remaining = [...this.#records.values()]
    this.#allGone = done
    this.#endNext()
  }

  abandon(): void {
    this.#leave('over')
    for (const record of [...this.#records.values()].reverse()) {
      record.stage?.kill()
      record.stage = undefined
      record.settleEnd()
    }
    this.#living = 0
    this.#remaining = []
    this.#allGone = undefined
  }

  /** From now on nothing is started or restarted. */
  #leave(phase: Phase): void {
    this.#phase = phase
    for (const record of this.#records.values()) {
      record.isWanted = false
      record.callOffDelay()
      record.settleStart(waiter => waiter.reject(this.commands.tooLate()))
    }
    this.commands.resume()
  }

  /** Ends one child after the other, in reverse order. */
  #endNext(): void {
    for (let last = this.#remaining.at(-1); last !== undefined; last = this.#remaining.at(-1)) {
      if (last.stage !== undefined) return this.#tell(last, last.stage)
      this.#remaining.pop()
    }
    this.#phase = 'over'
    const done = this.#allGone
    this.#allGone = undefined
    done?.()
  }

  // ── what to do next

  /** Does what can be done now, after something has become of `record`. */
  #goOn(record?: ChildRecord): void {
    if (this.#phase === 'ending') return this.#endNext()
    if (this.isLeaving) return
    if (this.#settings.strategy !== 'one_for_one') this.#goOnTogether()
    // Nobody depends on it, so it waits for nobody; but first starts are made in order
    else if (record?.isDue === true && (record.hasStarted || this.#phase === 'running')) this.#start(record)
    if (this.#phase === 'starting') this.#goOnStarting()
  }

  /** First all that must end because of a sibling, in reverse order; then all that are to be up, in order. */
  #goOnTogether(): void {
    const records = [...this.#records.values()]
    const doomed = records.findLast(({ isDoomed, stage }) => isDoomed && stage !== undefined)
    if (doomed?.stage !== undefined) return this.#tell(doomed, doomed.stage)
    if (records.some(({ delay }) => delay !== undefined)) return
    const next = records.find(({ isWanted, isReady }) => isWanted && !isReady)
    if (next?.isDue === true) this.#start(next)
  }

  /** The first start: one child after the other, each when the one before has been set up (GS-L1). */
  #goOnStarting(): void {
    let next = this.#first[this.#begun]
    while (next !== undefined && (next.hasStarted || !next.isWanted)) next = this.#first[++this.#begun]
    if (next === undefined) {
      this.#phase = 'running'
      this.#first = []
      this.#host.setUpDone()
      this.commands.resume()
    } else if (next.isDue && this.#settings.strategy === 'one_for_one') this.#start(next)
  }

  #start(record: ChildRecord): void {
    const restartCount = record.lives++
    if (restartCount > 0) this.#reports.restarted(record, restartCount)
    try {
      const guardian: Guardian = {
        id: this.#host.id,
        restartCount,
        childStarted: () => this.#news(stage, () => this.#started(record, stage)),
        childEnded: reason => this.#news(stage, () => this.#ended(record, stage, reason)),
      }
      const stage = record.spec.blueprint.start(this.#host.runtime, guardian)
      record.stage = stage
      this.#living++
    } catch (error) {
      // Its name is taken, say. It is dealt with like a setup that fails: as a message
      record.isFailing = true
      this.#news(this.#host.address, () => {
        record.isFailing = false
        this.#startFailed(record, failure(error), asOwnError(error))
      })
    }
  }

  #news(from: Address, work: () => void): void {
    this.#host.post({ type: 'childNews', from, work })
  }

  /** Tells a child to end, once. */
  #tell(record: ChildRecord, stage: Stage): void {
    if (record.isTold) return
    record.isTold = true
    endChild(stage, record.spec.shutdown)
  }

  // ── what has become of a child

  #started(record: ChildRecord, stage: Stage): void {
    if (record.stage !== stage) return
    record.isReady = true
    record.hasStarted = true
    record.isNew = false
    record.settleStart(waiter => waiter.resolve(stage.ref))
    this.#goOn(record)
  }

  #ended(record: ChildRecord, stage: Stage, reason: Reason): void {
    if (record.stage !== stage) return
    const { isTold, isDoomed } = record
    const start = stage.startedAs
    record.stage = undefined
    record.endedAs = reason
    record.isReady = record.isTold = record.isDoomed = false
    this.#living--
    if (isTold || isDoomed || this.isLeaving) {
      this.#reports.ended(record, reason, isTold || this.#phase === 'draining')
      return this.#isDown(record)
    }
    if (start !== undefined && 'error' in start) return this.#startFailed(record, reason, start.error)
    if (start?.result === 'ignored') {
      record.isWanted = false
      record.isNew = false
      record.settleStart(waiter => waiter.resolve(stage.ref))
      return this.#isDown(record)
    }
    const { restart } = record.spec
    if (restart === 'permanent' || (restart === 'transient' && !isGraceful(reason)))
      return this.#restart(record, reason, isGraceful(reason) ? 'ended' : 'failed')
    record.isWanted = false
    if (!isGraceful(reason)) this.#reports.failed(record, reason, 'failed')
    this.#isDown(record)
  }

  #startFailed(record: ChildRecord, reason: Reason, error: GenStageError): void {
    // Stopped meanwhile
    if (!record.isWanted) return this.#isDown(record)
    if (record.starters.length > 0) {
      // Whoever asked for it is told: that is enough
      record.isWanted = false
      record.settleStart(waiter => waiter.reject(error))
      if (record.isNew) this.forget(record)
      return this.#isDown(record)
    }
    if (this.#phase === 'running' || record.hasStarted) return this.#restart(record, reason, 'could not start')
    throw this.#reports.startFailed(record, reason)
  }

  /** It is down, and nobody is to be asked about that. */
  #isDown(record: ChildRecord): void {
    if (!record.isWanted) {
      record.settleStart(waiter => waiter.reject(this.commands.refusal(record.spec.id, 'ended before it was ready', 'STOPPED')))
      if (record.spec.restart === 'temporary') this.forget(record)
    }
    record.settleEnd()
    this.#goOn(record)
  }

  /** It is down and should not be: it starts again, with those that depend on it, unless that has happened too often. */
  #restart(record: ChildRecord, reason: Reason, what: string): void {
    const now = this.#host.runtime.clock.now()
    if (!this.#window.allows(now)) return this.#giveUp(record, reason, what)
    const delayMs = record.backoff.next(now)
    record.isWanted = true
    this.#reports.restarting(record, reason, what, delayMs)
    const { strategy } = this.#settings
    if (strategy !== 'one_for_one')
      for (const each of companions(strategy, [...this.#records.values()], record)) this.#involve(each)
    if (delayMs > 0) {
      record.delay = this.#host.runtime.clock.setTimer(delayMs, () =>
        this.#news(this.#host.address, () => {
          record.delay = undefined
          this.#goOn(record)
        }),
      )
    }
    this.#goOn(record)
  }

  /** A sibling is started again, and with it this one: also if it had ended as it should, for the group begins anew. */
  #involve(record: ChildRecord): void {
    const isTemporary = record.spec.restart === 'temporary'
    if (record.stage === undefined) {
      if (!isTemporary && !record.isStoppedByHand) record.isWanted = true
      return
    }
    record.isDoomed = true
    if (isTemporary) record.isWanted = false
  }

  #giveUp(record: ChildRecord, reason: Reason, what: string): void {
    const error = this.#reports.tooManyRestarts(record, reason, what, this.#settings.restarts)
    if (this.#phase === 'starting') throw error
    this.#host.log('stage_failed', error.message, { error, child: record.spec.id })
    this.#host.stopByOwn(shutdown(error))
  }

  // ── what commands do

  add(spec: CheckedChild): ChildRecord {
    const record = new ChildRecord(spec, this.#settings.restarts)
    this.#records.set(spec.id, record)
    return record
  }

  restart(record: ChildRecord): void {
    record.isWanted = true
    record.isStoppedByHand = false
    this.#goOn(record)
  }

  terminate(record: ChildRecord): void {
    record.isWanted = false
    record.isStoppedByHand = true
    record.callOffDelay()
    if (record.stage === undefined) this.#isDown(record)
    else this.#tell(record, record.stage)
  }

  forget(record: ChildRecord): void {
    if (this.#records.get(record.spec.id) === record) this.#records.delete(record.spec.id)
  }
}

/** What a start threw: an error of ours, as starts throw no other. */
function asOwnError(error: unknown): GenStageError {
  return ownError(error) ?? new GenStageError('SETUP_FAILED', `a start threw ${show(error)}`, { cause: error })
}
