import type { ChildInfo } from './child-info.ts'
import type { EventChild } from './event-child.ts'

/** The children that there are. Each knows its place, so that none is looked for when it goes. */
export class LiveChildren {
  /** In no order: the last one takes the place of one that goes. Behind the first `#count` there is nothing. */
  readonly #places: (EventChild | undefined)[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  add(child: EventChild): void {
    child.place = this.#count
    this.#places[this.#count++] = child
  }

  remove(child: EventChild): void {
    const last = this.#places[--this.#count]
    this.#places[this.#count] = undefined
    if (last === undefined || last === child) return
    this.#places[child.place] = last
    last.place = child.place
  }

  /** Takes all of them out; oldest first. */
  clear(): readonly EventChild[] {
    const all = this.all()
    this.#places.length = 0
    this.#count = 0
    return all
  }

  /** Those that are there now, oldest first: for whoever ends some of them on the way. */
  all(): readonly EventChild[] {
    const all = this.#places.slice(0, this.#count) as EventChild[]
    return all.sort((a, b) => a.number - b.number)
  }

  find(id: string): EventChild | undefined {
    return this.all().find(child => child.id === id)
  }

  infos(): readonly ChildInfo[] {
    return this.all().map(child => child.info)
  }
}
