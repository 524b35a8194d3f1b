import type { Choice } from '@genstage/core'
import type { Chains } from './chains.ts'

/** Who acts now: a stage in its step, or whoever is outside. */
interface Actor {
  /** Number of the stage; undefined for the outside. */
  readonly stage: number | undefined
  /** What it has done so far, this step included. */
  readonly chain: number
  /** Stages, timers and draws that came of it. */
  made: number
}

/**
 * What a simulation has come to, told by what each stage has handled, in order. Two runs with the same histories are in the same
 * state, whatever the order of steps of different stages was: a stage does the same when it is told the same, and the messages of
 * one stage to another keep their order (GS-A2). What is not decided by these histories is entered as well:
 * - who caused a message whose sender is no stage, or another stage than the one whose step it was,
 * - which stages were alive at a step, for they are found by name, and the dead answer at once,
 * - at what point of all histories somebody outside acted, a timer fired, or a supervisor took a step: they reach into stages
 *   without a message,
 * - which of the random numbers were drawn.
 */
export class Histories {
  readonly #chains: Chains
  /** Stages by number: equal in all runs, whatever ids they have. */
  readonly #numbers = new Map<string, number>()
  readonly #handled = new Map<number, number>()
  /** Arrivals at the end of a channel that do not follow from the history of its sender. */
  readonly #arrivals = new Map<string, number>()
  /** Messages posted to each channel. */
  readonly #posted = new Map<string, number>()
  readonly #living = new Set<number>()
  #livingChain = 0
  #outside = 0
  #draws = 0
  #isClosed = false
  #actor: Actor = { stage: undefined, chain: 0, made: 0 }

  constructor(chains: Chains) {
    this.#chains = chains
  }

  /** A message was posted. */
  posted(stage: string, sender: string): void {
    const to = this.#numberOf(stage)
    const from = this.#numbers.get(sender)
    const channel = `${from ?? sender}>${to}`
    const place = this.#posted.get(channel) ?? 0
    this.#posted.set(channel, place + 1)
    if (from !== undefined && from === this.#actor.stage) return
    this.#arrivals.set(channel, this.#chains.extend(this.#arrivals.get(channel) ?? 0, `${place} ${this.#cause()}`))
  }

  /** A stage takes a step. */
  step({ stage, sender, message }: Choice): void {
    const reach = stage.startsWith('supervisor') ? this.fingerprint() : ''
    this.#enter(stage, `${this.#numbers.get(sender) ?? sender} ${message} ${reach}`)
  }

  /** Somebody outside does something to one stage: as if the stage itself did it. */
  actionOn(stage: string): void {
    this.#outside = this.#chains.extend(this.#outside, 'action')
    this.#enter(stage, `action ${this.#outside}`)
  }

  #enter(stage: string, what: string): void {
    const number = this.#numberOf(stage)
    const entry = `${what} ${this.#livingChain}`
    const chain = this.#chains.extend(this.#handled.get(number) ?? 0, entry)
    this.#handled.set(number, chain)
    this.#actor = { stage: number, chain, made: 0 }
  }

  /** Somebody outside acts. */
  outside(what: string): void {
    if (this.#isClosed) return
    this.#outside = this.#chains.extend(this.#outside, `${what} ${this.fingerprint()}`)
    this.#actor = { stage: undefined, chain: this.#outside, made: 0 }
  }

  /** A stage has ended. */
  ended(stage: string): void {
    this.#living.delete(this.#numberOf(stage))
    this.#noteLiving()
  }

  /** A timer is set: what to say of it when it fires. */
  timer(): string {
    return `timer of ${this.#cause()}.${this.#actor.made++}`
  }

  /** A random number is drawn. */
  drawn(): void {
    const { stage } = this.#actor
    const entry = `draw ${this.#draws++}`
    if (stage === undefined) this.#outside = this.#chains.extend(this.#outside, entry)
    else this.#handled.set(stage, this.#chains.extend(this.#handled.get(stage) ?? 0, entry))
  }

  /** The same text for the same state. */
  fingerprint(): string {
    const part = (map: ReadonlyMap<string | number, number>): string =>
      [...map]
        .map(([key, chain]) => `${key}=${chain}`)
        .sort()
        .join(' ')
    return `${this.#outside} | ${part(this.#handled)} | ${part(this.#arrivals)}`
  }

  /** Nothing is entered any more. */
  close(): void {
    this.#isClosed = true
  }

  #cause(): string {
    const { stage, chain } = this.#actor
    return `${stage ?? 'outside'}:${chain}`
  }

  /** A stage is known by who made it, as its first, second or later one: ids depend on the order in which stages were made. */
  #numberOf(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const number = this.#chains.extend(0, `made by ${this.#cause()}.${this.#actor.made++}`)
    this.#numbers.set(id, number)
    this.#living.add(number)
    this.#noteLiving()
    return number
  }

  #noteLiving(): void {
    this.#livingChain = this.#chains.extend(0, `living ${[...this.#living].sort((a, b) => a - b).join(' ')}`)
  }
}
