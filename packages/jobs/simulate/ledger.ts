import type { Act } from './plan.ts'

/** What was seen, and what of it must not be. Everything that watches writes here. */
export class Ledger {
  readonly violations: string[] = []
  /** Enqueues that were acknowledged, by id. */
  readonly acknowledged = new Set<string>()
  /** How often each job's handler was called, by the number in its args. */
  readonly runs = new Map<number, number>()
  /** What handlers did, by the token of their claim. */
  readonly acts = new Map<number, Act>()
  /** What the store ended with, for the figures. */
  readonly counts = { jobs: 0, starts: 0, crashes: 0, kills: 0, staleRefused: 0, calls: 0 }
  readonly #told = new Set<string>()
  #numbers = 0

  /** A number for one more job. */
  nextNumber(): number {
    return ++this.#numbers
  }

  /** Writes down what must not be, once. */
  violated(invariant: string, what: string): void {
    const line = `${invariant}: ${what}`
    if (this.#told.has(line)) return
    this.#told.add(line)
    this.violations.push(line)
  }
}
