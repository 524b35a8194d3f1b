import { GenStageError, show } from './errors.ts'
import { disposeSymbol } from './platform.ts'
import type { Address, ProtocolMessage } from './protocol.ts'
import { noproc, type Reason } from './reason.ts'
import { RefBase } from './ref-base.ts'
import type { Down, Inspection, Monitor, Runtime, StageRef } from './refs.ts'
import { RuntimeCore } from './runtime.ts'
import type { StageType } from './types.ts'

/**
 * The ref of what is no stage here: a name that nobody has, or a peer that speaks the protocol itself. Whatever is posted to it
 * vanishes, as with a stage that has ended (GS-A4).
 */
class AbsentRef extends RefBase implements StageRef {
  readonly id: string
  readonly name: string | undefined
  readonly type: StageType
  readonly runtime: Runtime

  constructor(address: Address, runtime: Runtime, id: string, name: string | undefined, type: StageType) {
    super(address)
    this.runtime = runtime
    this.id = id
    this.name = name
    this.type = type
  }

  get ready(): Promise<'started' | 'ignored'> {
    return this.#gone()
  }

  get exited(): Promise<Reason> {
    return Promise.resolve(noproc)
  }

  get done(): Promise<void> {
    return this.#gone()
  }

  call(): Promise<never> {
    return this.#gone()
  }

  cast(): void {}

  send(): void {}

  syncInfo(): Promise<never> {
    return this.#gone()
  }

  asyncInfo(): void {}

  stop(): Promise<Reason> {
    return Promise.resolve(noproc)
  }

  kill(): Promise<Reason> {
    return Promise.resolve(noproc)
  }

  monitor(listener: (down: Down) => void): Monitor {
    let cancelled = false
    const { runtime } = this
    if (runtime instanceof RuntimeCore) {
      runtime.scheduler.schedule(() => {
        try {
          if (!cancelled) listener({ type: 'down', stage: this, reason: noproc })
        } catch (error) {
          runtime.raise(error)
        }
      })
    }
    const cancel = (): void => {
      cancelled = true
    }
    return { stage: this, cancel, [disposeSymbol]: cancel } as Monitor
  }

  inspect(): Promise<Inspection> {
    return this.#gone()
  }

  protected async dispose(): Promise<void> {}

  #gone(): Promise<never> {
    const called = this.name ?? this.id
    return Promise.reject(
      new GenStageError('STOPPED', `there is no stage ${show(called)} here`, { stage: called, reason: noproc }),
    )
  }
}

/** The address of a name that nobody has: it answers a subscription as a stage that has ended does. */
export function absentAddress(runtime: Runtime, name: string): Address {
  return peerAddress(runtime, {
    id: name,
    name,
    type: 'producer',
    post: (message, address) => answerForTheDead(address, message, noproc),
  })
}

/** What is said to a stage that is not there vanishes; only who subscribes to it is told (GS-S5). */
export function answerForTheDead(address: Address, message: ProtocolMessage, reason: Reason): void {
  if (message.type !== 'subscribe') return
  message.from.post({ type: 'producerDown', from: address, subscription: message.subscription, reason })
}

/** The address of whoever speaks the protocol without being a stage here (GS-A7): what is posted to it arrives at `post`. */
export function peerAddress(runtime: Runtime, peer: Peer): Address {
  const address: { id: string; ref: StageRef; post: Address['post'] } = {
    id: peer.id,
    ref: undefined as unknown as StageRef,
    post: message => {
      // What a peer throws is its own affair: the stage that spoke to it goes on (GS-A4)
      try {
        peer.post(message, address)
      } catch (error) {
        raise(runtime, error)
      }
    },
  }
  address.ref = new AbsentRef(address, runtime, peer.id, peer.name, peer.type)
  return address
}

function raise(runtime: Runtime, error: unknown): void {
  if (runtime instanceof RuntimeCore) runtime.raise(error)
}

/** Somebody who speaks the protocol. */
export interface Peer {
  /** Unique among those it speaks with. */
  readonly id: string
  readonly name?: string | undefined
  readonly type: StageType
  /** Takes a message, in the order in which they were posted. What it throws is raised as an uncaught error. */
  post(message: ProtocolMessage, self: Address): void
}
