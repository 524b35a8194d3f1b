import type { Subject } from './capabilities.ts'

/** Where every event is that was emitted: a dispatcher sees the events, the book knows their numbers. */
export class EventBook {
  readonly #subject: Subject
  readonly #events: unknown[] = []
  readonly #numbers = new Map<unknown, number>()
  /** In the order of emission, but for those that were given back. */
  readonly #waiting = new Set<number>()
  readonly #everGivenBack = new Set<number>()
  /** Given back and waiting: who stands here before another is to leave before it, too. */
  #returned: readonly number[] = []

  constructor(subject: Subject) {
    this.#subject = subject
  }

  /** How many have been emitted. */
  get emitted(): number {
    return this.#events.length
  }

  emit(count: number): readonly number[] {
    return Array.from({ length: count }, () => {
      const number = this.#events.length
      const event = this.#subject.event(number)
      this.#events.push(event)
      this.#numbers.set(event, number)
      this.#waiting.add(number)
      return number
    })
  }

  /** As an array that nobody may change. */
  eventsOf(numbers: readonly number[]): readonly unknown[] {
    return Object.freeze(numbers.map(number => this.#events[number]))
  }

  numberOf(event: unknown): number | undefined {
    return this.#numbers.get(event)
  }

  /** The numbers of events; what is no event is left out. */
  numbersOf(events: readonly unknown[]): readonly number[] {
    return events.map(event => this.#numbers.get(event)).filter(number => number !== undefined)
  }

  waiting(): readonly number[] {
    return [...this.#waiting].toSorted((a, b) => a - b)
  }

  isWaiting(number: number): boolean {
    return this.#waiting.has(number)
  }

  wasGivenBack(number: number): boolean {
    return this.#everGivenBack.has(number)
  }

  deliver(number: number): void {
    this.#waiting.delete(number)
    this.#returned = this.#returned.filter(other => other !== number)
  }

  discard(numbers: readonly number[]): void {
    for (const number of numbers) this.deliver(number)
  }

  giveBack(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#waiting.add(number)
      this.#everGivenBack.add(number)
    }
    this.#returned = [...numbers, ...this.#returned]
  }

  /** One that was given back and should have left before this one. */
  passedBy(number: number): number | undefined {
    const place = this.#returned.indexOf(number)
    const before = place < 0 ? this.#returned : this.#returned.slice(0, place)
    return before.find(other => this.#competes(other, number))
  }

  #competes(first: number, second: number): boolean {
    const { rank, seatOf } = this.#subject
    if (seatOf !== undefined && seatOf(first) !== seatOf(second)) return false
    return rank === undefined || rank(first) <= rank(second)
  }
}
