/** Which subscription has which alias in the scenario. Both sides of a subscription have the same id. */
import type { Subscription } from '@genstage/core'
import type { Scenario, StartSubscription } from './scenario.ts'

export class Subscriptions {
  /** The stage that makes the subscription, or is meant to, by alias. */
  readonly #consumers = new Map<string, string>()
  /** How the scenario describes the subscription, by id. */
  readonly #described = new Map<string, StartSubscription>()
  /** Those whose consumer was told of them by handleSubscribe, by alias. */
  readonly #made = new Map<string, Subscription>()
  /** Those whose consumer stopped instead of accepting them, by alias. */
  readonly #refused = new Set<string>()

  constructor({ stages, steps }: Scenario) {
    for (const { id, subscribeTo } of stages) subscribeTo?.forEach(({ as }) => this.#consumers.set(as, id))
    for (const step of steps) {
      if (step.op === 'subscribe') this.#consumers.set(step.as, step.consumer)
      if (step.op === 'resubscribe') this.#consumers.set(step.as, this.consumerOf(step.sub))
    }
  }

  consumerOf(alias: string): string {
    return this.#consumers.get(alias) ?? `the consumer of ${alias}`
  }

  describe(id: string, description: StartSubscription): void {
    this.#described.set(id, description)
  }

  description(id: string): StartSubscription | undefined {
    return this.#described.get(id)
  }

  alias(id: string): string {
    return this.#described.get(id)?.as ?? `unnamed ${id}`
  }

  /** The consumer's handleSubscribe runs: from now on the alias can be used. Or the consumer stops instead of accepting it. */
  make(from: Subscription, accepted: boolean): void {
    this.#made.set(this.alias(from.id), from)
    if (!accepted) this.#refused.add(this.alias(from.id))
  }

  wasRefused(alias: string): boolean {
    return this.#refused.has(alias)
  }

  /** As its consumer holds it; undefined if it was never made. */
  made(alias: string): Subscription | undefined {
    return this.#made.get(alias)
  }
}
