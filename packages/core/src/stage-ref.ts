import { absentAddress } from './absent.ts'
import { oneOf, optionsWithout, ownOptions, type OwnOptions, StagePlace, unknownOption } from './options.ts'
import { GenStageError, show } from './errors.ts'
import { UpstreamLink } from './links.ts'
import { NameToken } from './names.ts'
import { isRef, RefBase } from './ref-base.ts'
import type { Address } from './protocol.ts'
import { openReader, readerOptionNames } from './reader.ts'
import type { Reason, ReasonInput } from './reason.ts'
import type { AnyMessages, Down, Inspection, Monitor, Runtime, StageRef, Subscription } from './refs.ts'
import type { Stage } from './stage.ts'
import type { SubscriptionRequest } from './stage-plan.ts'
import { coreSubscriptionOptions, replacementOf } from './subscribe-options.ts'
import type { DemandMode, StageType, StopOptions, WaitOptions } from './types.ts'
import { waitForReply } from './wait.ts'

const streamOptions: readonly string[] = [...coreSubscriptionOptions, ...readerOptionNames]

/** The handle of a running stage, with the methods of all kinds: its type says which of them make sense. */
export class Ref extends RefBase implements StageRef<AnyMessages> {
  readonly #stage: Stage

  constructor(stage: Stage) {
    super(stage)
    this.#stage = stage
  }

  get id(): string {
    return this.#stage.id
  }

  get name(): string | undefined {
    return this.#stage.name
  }

  get type(): StageType {
    return this.#stage.type
  }

  get runtime(): Runtime {
    return this.#stage.runtime
  }

  get ready(): Promise<'started' | 'ignored'> {
    return this.#stage.watchers.ready
  }

  get exited(): Promise<Reason> {
    return this.#stage.watchers.exited
  }

  get done(): Promise<void> {
    return this.#stage.watchers.done
  }

  call(request: unknown, options?: WaitOptions): Promise<unknown> {
    return this.#wait('call', options, reply => this.#stage.post({ type: 'call', request, reply }))
  }

  cast(message: unknown): void {
    this.#stage.post({ type: 'cast', message })
  }

  send(message: unknown): void {
    this.#stage.post({ type: 'info', message })
  }

  syncInfo(message: unknown, options?: WaitOptions): Promise<void> {
    return this.#wait('syncInfo', options, reply => this.#stage.post({ type: 'queueInfo', message, reply }))
  }

  asyncInfo(message: unknown): void {
    this.#stage.post({ type: 'queueInfo', message, reply: undefined })
  }

  stop(reason: ReasonInput = 'normal', options?: StopOptions): Promise<Reason> {
    return this.#stage.stop(reason, options, false)
  }

  kill(): Promise<Reason> {
    this.#stage.kill()
    return this.exited
  }

  monitor(listener: (down: Down) => void): Monitor {
    if (typeof listener !== 'function') {
      throw new GenStageError('BAD_OPTION', `stage ${show(this.#stage.label)}: monitor takes a function, not ${show(listener)}`, {
        stage: this.#stage.label,
        option: 'listener',
      })
    }
    return this.#stage.watchers.monitor(listener)
  }

  inspect(options?: WaitOptions): Promise<Inspection> {
    return this.#wait('inspect', options, reply => this.#stage.post({ type: 'query', query: 'inspect', reply }))
  }

  // ── of a stage that produces

  stream(options?: unknown): AsyncIterable<unknown> {
    const { type, label, runtime } = this.#stage
    if (type === 'consumer' || type === 'supervisor') {
      throw new GenStageError('NOT_A_PRODUCER', `stage ${show(label)} is a ${type}: there is nothing to read from it`, {
        stage: label,
      })
    }
    const where = new StagePlace(label, 'stream')
    const own = ownOptions(where, options)
    for (const option of ['to', 'replaces']) if (option in own) throw unknownOption(where, 'option', option, streamOptions)
    const readerOptions = {
      runtime,
      ...Object.fromEntries(readerOptionNames.filter(name => name in own).map(name => [name, own[name]])),
    }
    return openReader(where, [{ ...optionsWithout(own, ...readerOptionNames), to: this }], readerOptions)
  }

  estimateBufferedCount(options?: WaitOptions): Promise<number> {
    return this.#wait('estimateBufferedCount', options, reply => this.#stage.post({ type: 'query', query: 'estimate', reply }))
  }

  demandMode(options?: WaitOptions): Promise<DemandMode> {
    return this.#wait('demandMode', options, reply => this.#stage.post({ type: 'query', query: 'demandMode', reply }))
  }

  setDemandMode(mode: DemandMode): void {
    const where = new StagePlace(this.#stage.label, 'setDemandMode')
    this.#stage.post({ type: 'setDemandMode', mode: oneOf(where, { mode }, 'mode', ['forward', 'accumulate'], 'forward') })
  }

  // ── of a stage that consumes

  subscribe(options: unknown): Subscription {
    const stage = this.#stage
    if (stage.type === 'producer' || stage.type === 'supervisor') {
      const text = `stage ${show(stage.label)} is a ${stage.type}: it cannot subscribe to anything`
      stage.log('not_a_consumer', text)
      throw new GenStageError('NOT_A_CONSUMER', text, { stage: stage.label })
    }
    return stage.subscribe(subscriptionRequest(stage, ownOptions(stage, options)))
  }

  protected async dispose(): Promise<void> {
    await this.stop()
  }

  #wait<T>(what: string, options: unknown, post: Parameters<typeof waitForReply>[4]): Promise<T> {
    return waitForReply(this.#stage.runtime, this.#stage.label, what, options, post)
  }
}

/** Resolves `to` and `replaces`; refuses what is no stage (`NOT_A_STAGE`), and the stage itself. */
export function subscriptionRequest(stage: Stage, given: OwnOptions): SubscriptionRequest {
  const { to } = given
  const target = targetOf(stage, to)
  if (target === undefined) {
    throw new GenStageError(
      'NOT_A_STAGE',
      `${stage.toString()}: to must be a ref or a typed name of a producer, not ${show(to)}`,
      {
        stage: stage.label,
        option: 'to',
      },
    )
  }
  if (target.address === stage || target.name === (stage.name ?? '')) {
    throw new GenStageError('BAD_OPTION', `${stage.toString()}: to must be another stage: one cannot subscribe to oneself`, {
      stage: stage.label,
      option: 'to',
    })
  }
  const replaced = replacementOf(
    stage,
    given,
    (value): value is UpstreamLink => value instanceof UpstreamLink && value.isOf(stage),
  )
  const current = replaced === undefined ? undefined : { link: replaced.link, reason: stage.checkedReason(replaced.reason) }
  return { target, options: given, current }
}

function targetOf(stage: Stage, to: unknown): SubscriptionRequest['target'] | undefined {
  if (to instanceof NameToken) return { address: absentAddress(stage.runtime, to.name), name: to.name }
  return isRef(to) ? { address: addressOf(to as StageRef), name: undefined } : undefined
}

/** Where a ref leads to. Throws `NOT_A_STAGE` for anything that is no ref. */
export function addressOf(ref: StageRef): Address {
  const address = RefBase.addressOf(ref)
  if (address !== undefined) return address
  throw new GenStageError('NOT_A_STAGE', `${show(ref)} is not a ref of a stage`)
}
