import type { ClaimRequest, Held } from '../store.ts'
import type { EngineContext } from './engine-context.ts'

/**
 * Gives back what the store believes this runner to hold although it knows nothing of it: jobs of a claim whose answer got lost (F3). Asked
 * only after such a failure. A job is given back when two looks have found it, and all claims that were under way at the first are over:
 * until then it may be on its way here.
 */
export class Holdings {
  readonly #engine: EngineContext
  /**
   * Tokens of the claims that the runner knows of. Not numbers of jobs: a write whose answer got lost may have ended one claim of a job and
   * made another, of which nobody knows.
   */
  readonly #known: () => ReadonlySet<number>
  /** The claims under way. */
  readonly #claims: () => readonly ClaimRequest[]
  #isDoubtful = false
  /** Tokens of what was found unknown the last time. */
  #suspected = new Set<number>()
  /** Claims that were under way when these were found. */
  #pending: readonly ClaimRequest[] = []

  constructor(engine: EngineContext, known: () => ReadonlySet<number>, claims: () => readonly ClaimRequest[]) {
    this.#engine = engine
    this.#known = known
    this.#claims = claims
  }

  doubt(): void {
    this.#isDoubtful = true
  }

  /** Looks, if there is doubt. Rejects as the store does. */
  async look(): Promise<void> {
    if (!this.#isDoubtful) return
    const { store, runner } = this.#engine
    const claims = this.#claims()
    if (this.#pending.some(claim => claims.includes(claim))) return
    // A claim that fails while the store answers may be one of which this answer tells nothing
    this.#isDoubtful = false
    try {
      const held = await store.holdings(runner)
      const known = this.#known()
      const unknown = held.filter(({ token }) => !known.has(token))
      const orphans = unknown.filter(({ token }) => this.#suspected.has(token))
      if (orphans.length > 0) await store.settle(orphans.map(release))
      this.#pending = claims
      this.#suspected = new Set(unknown.map(({ token }) => token))
      if (unknown.length > 0) this.#isDoubtful = true
    } catch (error) {
      this.#isDoubtful = true
      throw error
    }
  }
}

function release({ seq, token }: Held): Held & { readonly ranMs: 0; readonly to: 'release' } {
  return { seq, token, ranMs: 0, to: 'release' }
}
