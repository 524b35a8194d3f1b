/** What is measured: consumers that add something up, on a thread or on that of the process, and tell the sum when they are asked. */
import { pbkdf2Sync } from 'node:crypto'
import { consumer, type ConsumerDefinition, type Messages } from '@genstage/core'

export interface Row {
  readonly id: number
  readonly name: string
  readonly ok: boolean
}

/** Rounds of hashing for a key: about 50 μs of work for an event, and hardly any garbage. */
const hashRounds = 100

/** What each kind of consumer works out of an event. */
export const valueOf = {
  hash: (password: string): number => pbkdf2Sync(password, 'salt', hashRounds, 32, 'sha256').readUInt8(0),
  parse: (page: string): number => (JSON.parse(page) as readonly Row[]).length,
  number: (number: number): number => number,
  row: (row: Row): number => row.id,
  array(numbers: Int32Array): number {
    let sum = 0
    for (const number of numbers) sum += number
    return sum
  },
}

export type Kind = keyof typeof valueOf

/** A consumer that adds up. */
export type Adder = ConsumerDefinition<unknown, Kind, Messages<'sum', number>>

export const Adder: Adder = consumer((kind: Kind) => {
  const add = valueOf[kind] as (event: unknown) => number
  const total = { sum: 0 }
  return {
    handleEvents(events: readonly unknown[]) {
      let sum = 0
      for (const event of events) sum += add(event)
      total.sum += sum
    },
    handleCall(_request: 'sum') {
      const reply = total.sum
      total.sum = 0
      return { reply }
    },
  }
})
