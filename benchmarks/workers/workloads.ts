/** The events of each workload. They come in rounds of 100, so that what has to come out is known. */
import type { OnThreadOptions } from '@genstage/workers'
import { type Adder, type Kind, type Row, valueOf } from './stages.ts'

/** One kind of events for consumers on threads. */
export interface Workload {
  readonly title: string
  readonly kind: Kind
  /** Events of a batch. */
  readonly batch: number
  /** What counts for one event: the numbers in an array, else 1. */
  readonly weight: number
  /** Event number `index` of a round. It is made anew where that is part of the work. */
  event(index: number): unknown
  readonly options?: Pick<OnThreadOptions<Adder>, 'encoding' | 'transfer'>
}

const round = 100

/** Numbers in a typed array. */
const arrayLength = 1_000

const rowOf = (id: number): Row => ({ id, name: `name ${id}`, ok: id % 2 === 0 })
const passwords = Array.from({ length: round }, (_, id) => `password number ${id}`)
const pages = Array.from({ length: round }, (_, page) =>
  JSON.stringify(Array.from({ length: 100 }, (__, id) => rowOf(page + id))),
)

const objects = { kind: 'row', batch: 1_000, weight: 1, event: rowOf } as const
const arrays = {
  kind: 'array',
  batch: 1,
  weight: arrayLength,
  event: (index: number) => new Int32Array(arrayLength).fill(index),
} as const

/** Work for the processor: little crosses, and much is done with it. */
export const heavy: Readonly<Record<string, Workload>> = {
  hash: { title: 'hash a password (pbkdf2)', kind: 'hash', batch: 100, weight: 1, event: index => passwords[index] },
  parse: { title: 'parse 4 KB of JSON', kind: 'parse', batch: 100, weight: 1, event: index => pages[index] },
}

/** Nearly no work: what is measured is the way to the thread. */
export const light: Readonly<Record<string, Workload>> = {
  numbers: { title: 'numbers', kind: 'number', batch: 1_000, weight: 1, event: index => index },
  objects: { title: 'objects { id, name, ok }', ...objects },
  'objects-json': { title: "the same with encoding: 'json'", ...objects, options: { encoding: 'json' } },
  arrays: { title: 'numbers, 1,000 in an Int32Array', ...arrays },
  'arrays-transferred': { title: "the same with transfer: 'buffers'", ...arrays, options: { transfer: 'buffers' } },
  'arrays-together': {
    title: "16 such arrays in a batch, transfer: 'buffers'",
    ...arrays,
    batch: 16,
    options: { transfer: 'buffers' },
  },
}

export const workloads: Readonly<Record<string, Workload>> = { ...heavy, ...light }

/** `count` events, beginning with number `first`. */
export function eventsOf({ event }: Workload, first: number, count: number): readonly unknown[] {
  const events = new Array<unknown>(count)
  for (let index = 0; index < count; index++) events[index] = event((first + index) % round)
  return events
}

/** The sum that all consumers together have to come to after `count` events. */
export function expectedOf(workload: Workload, count: number): number {
  const value = valueOf[workload.kind] as (event: unknown) => number
  const values = eventsOf(workload, 0, round).map(value)
  const sumOf = (some: readonly number[]): number => some.reduce((sum, each) => sum + each, 0)
  return Math.floor(count / round) * sumOf(values) + sumOf(values.slice(0, count % round))
}
