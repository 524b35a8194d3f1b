import type { Held } from '../../src/store.ts'

/** Tokens and ids of what this process has claimed: settlements name jobs by number, handlers do not know their token. */
export class Tokens {
  readonly #tokens = new Map<string, number>()
  readonly #ids = new Map<number, string>()

  claimed({ id, seq, token }: Held & { readonly id: string }): void {
    this.#tokens.set(id, token)
    this.#ids.set(seq, id)
  }

  tokenOf(id: string): number {
    return this.#tokens.get(id) ?? 0
  }

  idOf(seq: number): string {
    return this.#ids.get(seq) ?? `number ${seq}`
  }
}
