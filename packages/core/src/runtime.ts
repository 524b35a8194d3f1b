import { type Clock, systemClock } from './clock.ts'
import type { DispatcherContext } from './dispatcher.ts'
import { badOption, duration, ownOptions, type OwnOptions, refuseUnknown } from './options.ts'
import { GenStageError, show } from './errors.ts'
import { consoleLogger, type Logger } from './logger.ts'
import { ChannelMailbox, FifoMailbox, type Mailbox } from './mailbox.ts'
import { asyncDisposeSymbol, disposeSymbol, holdProcess } from './platform.ts'
import type { Address } from './protocol.ts'
import type { Reason, ReasonInput } from './reason.ts'
import type { AnyMessages, Edge, NameOf, Runtime, StageRef, Topology, TopologyStage } from './refs.ts'
import { RunLoop } from './run-loop.ts'
import { type Scheduler, systemScheduler } from './scheduler.ts'
import { TelemetryBus } from './telemetry.ts'
import { TelemetryChannels } from './telemetry-channels.ts'
import { topologyOf } from './topology.ts'
import type { StopOptions } from './types.ts'

/** What a runtime is made of; everything has a default. */
export interface RuntimeOptions {
  /** Default: the clock of the machine. */
  readonly clock?: Clock
  /** Default: microtasks, and `setImmediate` (a `MessageChannel` in browsers) in between. */
  readonly scheduler?: Scheduler
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
  /** Default: warnings and errors go to the console. `console` itself shows all. */
  readonly logger?: Logger
  /** A failure that nobody watched (`STAGE_FAILED`). Default: thrown, so that a crash is never silent. */
  readonly onUncaught?: (error: GenStageError) => void
  /** How many milliseconds stages may run before the event loop gets its turn. Default 2. */
  readonly sliceMs?: number
}

/** A stage as its runtime knows it. */
export interface LiveStage extends Address {
  readonly hasEnded: boolean
  /** Whether a supervisor started it, which also ends it. */
  readonly isSupervised: boolean
  /** Stops it; `together` with all others, so that a drain goes from the sources down. */
  stop(reason: ReasonInput, options: StopOptions | undefined, together: boolean): Promise<Reason>
  picture(): TopologyStage
  /** The subscriptions of its consumers. */
  edges(now: number): readonly Edge[]
}

/**
 * Makes a runtime of its own: its stages, names and time have nothing to do with those of others.
 *
 * Refuses bad options with `BAD_OPTION`.
 */
export function createRuntime(options?: RuntimeOptions): Runtime {
  const where = 'createRuntime'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['clock', 'scheduler', 'random', 'logger', 'onUncaught', 'sliceMs'])
  return new RuntimeCore({
    clock: withMethods(where, own, 'clock', ['now', 'wallTime', 'setTimer'], systemClock),
    scheduler: withMethods(where, own, 'scheduler', ['schedule', 'yieldTo'], systemScheduler),
    logger: withMethods<Logger>(where, own, 'logger', ['debug', 'info', 'warn', 'error'], consoleLogger),
    random: aFunction(where, own, 'random', Math.random),
    onUncaught: aFunction(where, own, 'onUncaught', (error: GenStageError): void => {
      throw error
    }),
    sliceMs: duration(where, 'sliceMs', own['sliceMs'], true, 2),
  })
}

function withMethods<T>(where: string, options: OwnOptions, option: string, methods: readonly string[], fallback: T): T {
  const value = options[option]
  if (value === undefined) return fallback
  const missing = methods.find(
    method => typeof value !== 'object' || value === null || typeof Reflect.get(value, method) !== 'function',
  )
  if (missing !== undefined) throw badOption(where, option, value, `an object with the methods ${methods.join(', ')}`)
  return value as T
}

function aFunction<T>(where: string, options: OwnOptions, option: string, fallback: T): T {
  const value = options[option]
  if (value === undefined) return fallback
  if (typeof value !== 'function') throw badOption(where, option, value, 'a function')
  return value as T
}

/** The runtime as stages see it. */
export class RuntimeCore implements Runtime {
  declare readonly [Symbol.asyncDispose]: () => Promise<void>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: () => number
  readonly logger: Logger
  readonly telemetry: TelemetryBus
  readonly loop: RunLoop
  /** What dispatchers get of the outside. */
  readonly dispatcherContext: DispatcherContext
  readonly #onUncaught: (error: GenStageError) => void
  readonly #names = new Map<string, LiveStage>()
  /** Held weakly: a stage that nobody can reach any more is forgotten (INV-22). */
  #stages: WeakRef<LiveStage>[] = []
  /** At this length the list is rid of stages that have ended. */
  #compactAt = 64
  #ids = 0
  #running = 0
  /** Why the process is kept alive: each `keepAlive`, and each wait of somebody. */
  #holders = 0
  #hold: Disposable | undefined

  constructor(parts: Required<RuntimeOptions>) {
    this.clock = parts.clock
    this.scheduler = parts.scheduler
    this.random = parts.random
    this.logger = guarded(parts.logger, error => this.raise(error))
    this.telemetry = new TelemetryBus(error => this.raise(error), new TelemetryChannels(this))
    this.loop = new RunLoop(parts.clock, parts.scheduler, parts.sliceMs, () => this.telemetry.look())
    this.#onUncaught = parts.onUncaught
    this.dispatcherContext = { random: parts.random, now: () => parts.clock.now() }
  }

  whereis<Ref>(name: NameOf<Ref>): Ref | undefined
  whereis(name: string): StageRef<AnyMessages> | undefined
  whereis(name: string | NameOf<unknown>): unknown {
    return this.#names.get(typeof name === 'string' ? name : name.name)?.ref
  }

  topology(): Topology {
    const now = this.clock.now()
    const stages = this.#live()
    return topologyOf(
      stages.map(stage => stage.picture()),
      stages.flatMap(stage => stage.edges(now)),
    )
  }

  keepAlive(): Disposable {
    let release: (() => void) | undefined = this.holdWhile()
    return {
      [disposeSymbol]: () => {
        release?.()
        release = undefined
      },
    } as Disposable
  }

  async stop(options?: StopOptions): Promise<void> {
    const roots = this.#live().filter(stage => !stage.isSupervised)
    await Promise.all(roots.map(stage => stage.stop('shutdown', options, true)))
  }

  static {
    Object.defineProperty(RuntimeCore.prototype, asyncDisposeSymbol, {
      value(this: RuntimeCore): Promise<void> {
        return this.stop()
      },
    })
  }

  // ── for stages

  nextNumber(): number {
    return ++this.#ids
  }

  newId(kind: string): string {
    // Joined, because V8 keeps a concatenation as its two parts
    return [kind, this.nextNumber()].join('-')
  }

  newMailbox(owner: { readonly id: string }): Mailbox {
    return this.scheduler.choose === undefined ? new FifoMailbox() : new ChannelMailbox(owner, this.scheduler)
  }

  /** The stage registered under a name. */
  find(name: string): LiveStage | undefined {
    return this.#names.get(name)
  }

  /** Takes a new stage in, under its name if it has one (`NAME_TAKEN`). */
  register(stage: LiveStage, name: string | undefined): void {
    if (name !== undefined) {
      const holder = this.#names.get(name)
      if (holder !== undefined) {
        throw new GenStageError(
          'NAME_TAKEN',
          `the name ${show(name)} is taken by stage ${show(holder.id)}; stop it first, or choose another`,
          {
            stage: name,
            option: 'name',
          },
        )
      }
      this.#names.set(name, stage)
    }
    if (this.#stages.length >= this.#compactAt) {
      this.#stages = this.#stages.filter(each => each.deref()?.hasEnded === false)
      this.#compactAt = Math.max(64, this.#stages.length * 2)
    }
    this.#stages.push(new WeakRef(stage))
    this.telemetry.look()
    this.#running++
    this.#updateHold()
  }

  /** Lets a stage go that has ended. */
  unregister(stage: Address, name: string | undefined): void {
    if (name !== undefined && this.#names.get(name) === stage) this.#names.delete(name)
    this.telemetry.look()
    this.#running--
    this.#updateHold()
  }

  /** Keeps the process alive while somebody waits. Answers how to end that. */
  holdWhile(): () => void {
    this.#holders++
    this.#updateHold()
    return () => {
      this.#holders--
      this.#updateHold()
    }
  }

  /** Tells of a failure that nobody watched. */
  uncaught(error: GenStageError): void {
    this.#onUncaught(error)
  }

  /** Throws what a listener or a logger threw, where it harms no stage: as an uncaught error. */
  raise(error: unknown): void {
    this.scheduler.yieldTo(() => {
      throw error
    })
  }

  #live(): readonly LiveStage[] {
    return this.#stages.map(each => each.deref()).filter(stage => stage !== undefined && !stage.hasEnded) as readonly LiveStage[]
  }

  #updateHold(): void {
    if (this.#holders > 0 && this.#running > 0) this.#hold ??= holdProcess()
    else {
      this.#hold?.[disposeSymbol]()
      this.#hold = undefined
    }
  }
}

/** A logger that throws changes nothing for the stage that wrote the line. */
function guarded(logger: Logger, raise: (error: unknown) => void): Logger {
  const guard = (level: keyof Logger): Logger[typeof level] => {
    return (message, fields) => {
      try {
        if (fields === undefined) logger[level](message)
        else logger[level](message, fields)
      } catch (error) {
        raise(error)
      }
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/** The runtime of stages that were given none: one per process. */
export const defaultRuntime: Runtime = /* @__PURE__ */ createRuntime()
