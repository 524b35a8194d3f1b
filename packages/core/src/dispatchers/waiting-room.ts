import { Queue } from '../queue.ts'
import { Heap } from './heap.ts'

/** Events of one message that have the same priority: they came together, and stand together. */
interface Group {
  readonly events: readonly unknown[]
  /** How many of them have left. */
  gone: number
  /** By what they are compared with other groups: the priority, or the priority by age. */
  readonly rank: number
  readonly era: Era
}

/** The events that came between two infos: the info at its end may pass when all of them have left. */
interface Era {
  waiting: number
  info: { readonly message: unknown } | undefined
}

/** The events of one priority, oldest first. In the heap by its first group. */
interface Line {
  readonly priority: number
  readonly groups: Queue<Group>
  place: number
}

/**
 * Events that wait to be handed out, most urgent first, and in the order of their arrival within a priority. A smaller number is more
 * urgent. With `ageMs` a number shrinks by one in that time: an event of priority p that came at t stands where one of priority 0
 * would stand that came at t + p · ageMs. So their order never changes while they wait, and no clock has to tick.
 */
export class WaitingRoom {
  readonly #priorityOf: (event: unknown) => number
  readonly #ageMs: number | undefined
  readonly #lines = new Map<number, Line>()
  readonly #byUrgency = new Heap<Line>(precedes)
  /** Oldest first; the last one is still open. */
  readonly #eras = new Queue<Era>()
  #newest: Era = { waiting: 0, info: undefined }
  #size = 0

  constructor(priorityOf: (event: unknown) => number, ageMs: number | undefined) {
    this.#priorityOf = priorityOf
    this.#ageMs = ageMs
    this.#eras.push(this.#newest)
  }

  /** How many events wait. */
  get size(): number {
    return this.#size
  }

  /** Lets events in, behind those of the same priority. */
  add(events: readonly unknown[], now: number): void {
    for (const [priority, some] of this.#byPriority(events)) {
      const group = { events: some, gone: 0, rank: this.#rank(priority, now), era: this.#newest }
      this.#enter(priority, group, line => line.groups.push(group))
    }
  }

  /** Lets events in that were here before: in front of those of the same priority, and of all infos. */
  giveBack(events: readonly unknown[], now: number): void {
    const era = this.#eras.at(0) ?? this.#newest
    for (const [priority, some] of this.#byPriority(events)) {
      const rank = this.#lines.get(priority)?.groups.at(0)?.rank ?? this.#rank(priority, now)
      const group = { events: some, gone: 0, rank, era }
      this.#enter(priority, group, line => line.groups.unshift(group))
    }
  }

  /** Takes the `count` most urgent events out, or all if there are fewer. */
  take(count: number): readonly unknown[] {
    const first = this.#byUrgency.first?.groups.at(0)
    if (first?.gone === 0 && first.events.length === Math.min(count, this.#size)) {
      this.#leave(first.events.length)
      return first.events
    }
    const taken: unknown[] = []
    while (this.#size > 0 && taken.length < count) {
      const group = this.#byUrgency.first?.groups.at(0)
      if (group === undefined) break
      const some = Math.min(count - taken.length, group.events.length - group.gone)
      for (let index = 0; index < some; index++) taken.push(group.events[group.gone + index])
      this.#leave(some)
    }
    return taken
  }

  /** Puts an info behind the events that wait now; false if there are none. */
  hold(message: unknown): boolean {
    if (this.#size === 0) return false
    this.#newest.info = { message }
    this.#newest = { waiting: 0, info: undefined }
    this.#eras.push(this.#newest)
    return true
  }

  /** Infos that no event is in front of any more. */
  freeInfos(): readonly unknown[] | undefined {
    let free: unknown[] | undefined
    for (let era = this.#eras.at(0); era?.info !== undefined && era.waiting === 0; era = this.#eras.at(0)) {
      free ??= []
      free.push(era.info.message)
      this.#eras.shift()
    }
    return free
  }

  /** The events that wait, line by line. */
  all(): readonly unknown[] {
    return this.#byUrgency.sorted().flatMap(line => groupsOf(line).flatMap(group => group.events.slice(group.gone)))
  }

  /** How many wait in each line, the most urgent first. */
  counts(): readonly { readonly priority: number; readonly waiting: number }[] {
    return this.#byUrgency.sorted().map(line => ({
      priority: line.priority,
      waiting: groupsOf(line).reduce((sum, group) => sum + group.events.length - group.gone, 0),
    }))
  }

  #enter(priority: number, group: Group, put: (line: Line) => void): void {
    let line = this.#lines.get(priority)
    if (line === undefined) {
      line = { priority, groups: new Queue(), place: 0 }
      put(line)
      this.#lines.set(priority, line)
      this.#byUrgency.push(line)
    } else put(line)
    group.era.waiting += group.events.length
    this.#size += group.events.length
  }

  /** So many events of the first group leave. */
  #leave(count: number): void {
    const line = this.#byUrgency.first
    const group = line?.groups.at(0)
    if (line === undefined || group === undefined) return
    group.gone += count
    group.era.waiting -= count
    this.#size -= count
    if (group.gone < group.events.length) return
    line.groups.shift()
    if (line.groups.length > 0) return this.#byUrgency.moved(line)
    this.#byUrgency.remove(line)
    this.#lines.delete(line.priority)
  }

  #rank(priority: number, now: number): number {
    return this.#ageMs === undefined ? priority : now + priority * this.#ageMs
  }

  /** The events by priority, each list in order. All are looked at before any is let in. */
  #byPriority(events: readonly unknown[]): Iterable<readonly [priority: number, events: readonly unknown[]]> {
    if (events.length === 0) return []
    const first = this.#priorityOf(events[0])
    let same = 1
    let priority = first
    while (same < events.length && (priority = this.#priorityOf(events[same])) === first) same++
    if (same === events.length) return [[first, events]]
    const lists = new Map([
      [first, events.slice(0, same)],
      [priority, [events[same]]],
    ])
    for (let index = same + 1; index < events.length; index++) {
      const event = events[index]
      const its = this.#priorityOf(event)
      const list = lists.get(its)
      if (list === undefined) lists.set(its, [event])
      else list.push(event)
    }
    return lists
  }
}

function groupsOf(line: Line): readonly Group[] {
  return Array.from({ length: line.groups.length }, (_, index) => line.groups.at(index)).filter(group => group !== undefined)
}

/** No two lines have the same priority. */
function precedes(a: Line, b: Line): boolean {
  const [first, second] = [a.groups.at(0)?.rank ?? Infinity, b.groups.at(0)?.rank ?? Infinity]
  return first < second || (first === second && a.priority < b.priority)
}
