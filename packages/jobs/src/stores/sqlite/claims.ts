/** By what others know a job. It never changes. */
export interface Identity {
  readonly id: string
  /** Its unique key, as the column says it. */
  readonly keyText: string | undefined
}

/** A claim that this store has made. */
export interface Claim extends Identity {
  /** The number of the job. */
  readonly seq: number
  readonly token: number
  /** Id of its line. */
  readonly line: number
}

/** So many claims are remembered, of as many jobs as any process works on at once; of others the file has to tell. */
const mostRemembered = 20_000

/**
 * The claims that this store has made and that nobody has settled here: who completes one of them need not ask the file what it is of.
 * Whether it still holds is not known here: another process may have judged the runner dead. That only the file can tell.
 */
export class Claims {
  /** By the number of the job, the oldest first. */
  readonly #remembered = new Map<number, Claim>()
  /** Those of the transaction that is under way. */
  #made: Claim[] = []

  /** It was made in this transaction. */
  add(claim: Claim): void {
    this.#made.push(claim)
  }

  /** The claim of a job, if it was made in an earlier transaction and has this token. */
  get(seq: number, token: number): Claim | undefined {
    const claim = this.#remembered.get(seq)
    return claim?.token === token ? claim : undefined
  }

  /** It was settled. */
  remove(seq: number): void {
    this.#remembered.delete(seq)
  }

  /** The transaction is durable. */
  keep(): void {
    for (const claim of this.#made) this.#remembered.set(claim.seq, claim)
    this.#made = []
    for (const seq of this.#remembered.keys()) {
      if (this.#remembered.size <= mostRemembered) return
      this.#remembered.delete(seq)
    }
  }

  /** The transaction was undone, and with it what was settled. */
  forget(): void {
    this.#remembered.clear()
    this.#made = []
  }
}
