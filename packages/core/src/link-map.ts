/**
 * Subscriptions by id. Most stages have one, which needs no map: an idle stage should cost next to nothing (WL-11).
 */
export class LinkMap<Link extends { readonly id: string }> {
  #only: Link | undefined
  #many: Map<string, Link> | undefined

  get size(): number {
    return this.#many?.size ?? (this.#only === undefined ? 0 : 1)
  }

  get(id: string): Link | undefined {
    const only = this.#only
    if (only !== undefined) return only.id === id ? only : undefined
    return this.#many?.get(id)
  }

  add(link: Link): void {
    if (this.#many === undefined && this.#only === undefined) {
      this.#only = link
      return
    }
    if (this.#many === undefined) {
      this.#many = new Map()
      if (this.#only !== undefined) this.#many.set(this.#only.id, this.#only)
      this.#only = undefined
    }
    this.#many.set(link.id, link)
  }

  delete(id: string): void {
    if (this.#only?.id === id) this.#only = undefined
    this.#many?.delete(id)
  }

  /** All of them, in the order in which they were made. */
  all(): readonly Link[] {
    if (this.#many !== undefined) return [...this.#many.values()]
    return this.#only === undefined ? [] : [this.#only]
  }
}
