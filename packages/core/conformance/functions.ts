/** The functions that scenarios call by name. A name that the format does not know is a mistake in the file. */
import { none, routed } from '@genstage/core'
import type { Partition } from '@genstage/core'
import { ScenarioError } from './scenario.ts'
import type { ProducerStage } from './scenario.ts'

type Produce = (demand: number) => readonly number[] | 'stop'

/** What a producer answers to demand. */
const sources: Readonly<Record<string, (stage: ProducerStage) => Produce>> = {
  manual: () => () => [],
  counter: ({ limit }) => counter(limit),
  chunk: ({ limit, chunk }) => {
    const count = counter(limit)
    return demand => count(chunk ?? demand)
  },
  stop: () => () => 'stop',
}

/** What the events callback returns for a batch. */
const batchFunctions: Readonly<Record<string, (batch: readonly number[]) => readonly number[]>> = {
  identity: batch => batch,
  double: batch => batch.map(event => event * 2),
  even: batch => batch.filter(isEven),
  duplicate: batch => batch.flatMap(event => [event, event]),
  sum: batch => [batch.reduce((sum, event) => sum + event, 0)],
  none: () => [],
}

/** What a partition dispatcher calls, made from the names of its partitions. */
const hashes: Readonly<Record<string, (names: readonly Partition[]) => (event: number) => unknown>> = {
  mod: names => at(names),
  first: names => () => names[0],
  times10: names => event => routed(event * 10, at(names)(event)),
  dropOdd: names => event => (isEven(event) ? at(names)(event / 2) : none),
  unknown13: names => event => (event === 13 ? 'nowhere' : at(names)(event)),
  bad7: names => event => (event === 7 ? { no: 'valid result' } : at(names)(event)),
}

/** What a broadcast subscription passes as its selector. */
const selectors: Readonly<Record<string, unknown>> = {
  even: isEven,
  odd: (event: number) => !isEven(event),
  lt50: (event: number) => event < 50,
  all: () => true,
  none: () => false,
  invalid: 42,
}

export const sourceNames: readonly string[] = Object.keys(sources)
export const batchFunctionNames: readonly string[] = Object.keys(batchFunctions)
export const hashNames: readonly string[] = Object.keys(hashes)
export const selectorNames: readonly string[] = Object.keys(selectors)

/** Makes a source of that kind, at its beginning. */
export function sourceFunction(stage: ProducerStage): Produce {
  return named('source', sources, stage.source)(stage)
}

export function batchFunction(name: string): (batch: readonly number[]) => readonly number[] {
  return named('fn', batchFunctions, name)
}

/** The hash function of that name; not always one, as `bad7` shows. */
export function hashFunction(name: string, partitions: number | readonly string[] | undefined): (event: number) => unknown {
  return named('hash', hashes, name)(typeof partitions === 'number' ? numbers(partitions) : (partitions ?? []))
}

/** The selector of that name; not always a function, as `invalid` shows. */
export function selectorValue(name: string): unknown {
  return named('selector', selectors, name)
}

function named<T>(kind: string, table: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found === undefined) throw new ScenarioError(`unknown ${kind} "${name}"; there are ${Object.keys(table).join(', ')}`)
  return found
}

/** The integers from 0 on, as many at a time as wanted, below the limit. */
function counter(limit = Infinity): (amount: number) => readonly number[] {
  let next = 0
  return amount => {
    const events = numbers(Math.min(amount, limit - next)).map(index => next + index)
    next += events.length
    return events
  }
}

function at(names: readonly Partition[]): (index: number) => Partition {
  return index => names[index % names.length] ?? 'nowhere'
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => index)
}

function isEven(event: number): boolean {
  return event % 2 === 0
}
