import { describe, expect, it } from 'vitest'
import { adapterContract, ContractError, type ContractCase, type SinkAdapter, type SourceAdapter } from '../src/index.ts'
import { type ControlledInput } from './support/controlled-input.ts'
import { iterableSource, readerSink } from './support/core-adapters.ts'

const contracts: readonly ContractCase[] = [
  ...adapterContract(iterableSource(), { takesSignal: true, lookAhead: 0 }),
  ...adapterContract(readerSink, { takesSignal: true }),
]

describe('the adapters of core', () => {
  it.each(contracts.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })
})

/** The names of the cases that an adapter does not pass. */
async function broken(adapter: SourceAdapter | SinkAdapter): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of adapterContract(adapter, { timeoutMs: 200 })) {
    try {
      await run()
    } catch (error) {
      expect(error).toBeInstanceOf(ContractError)
      names.push(name.slice(name.indexOf(': ') + 2))
    }
  }
  return names
}

/** The input as a careless adapter reads it. */
function through(next: (event: unknown, index: number) => readonly unknown[], rest: Partial<AsyncIterator<unknown>> = {}) {
  return (input: ControlledInput): AsyncIterable<unknown> => ({
    [Symbol.asyncIterator]() {
      const inner = input[Symbol.asyncIterator]()
      const ready: unknown[] = []
      let index = 0
      const take = async (): Promise<IteratorResult<unknown>> => {
        while (ready.length === 0) {
          const result = await inner.next()
          if (result.done === true) return result
          ready.push(...next(result.value, index++))
        }
        return { done: false, value: ready.shift() }
      }
      return { next: take, return: () => inner.return?.() ?? Promise.resolve({ done: true, value: undefined }), ...rest }
    },
  })
}

describe('a broken source', () => {
  it.each<[string, SourceAdapter, string]>([
    ['that loses an event', iterableSource(through((event, index) => (index === 1 ? [] : [event]))), 'what goes in comes out'],
    [
      'that repeats an event',
      iterableSource(through((event, index) => (index === 1 ? [event, event] : [event]))),
      'what goes in comes out',
    ],
    ['that drops what looks like nothing', iterableSource(through(event => (event ? [event] : []))), 'look like nothing'],
    [
      'that copies events',
      iterableSource(through(event => [typeof event === 'object' ? { ...event } : event])),
      'as plain values',
    ],
    [
      'that awaits events',
      iterableSource(input => ({
        async *[Symbol.asyncIterator]() {
          for await (const event of through(each => [each])(input)) yield event
        },
      })),
      'as plain values',
    ],
    [
      'that never lets go of its input',
      iterableSource(through(event => [event], { return: () => Promise.resolve({ done: true, value: undefined }) })),
      'releases the input once',
    ],
    [
      'that swallows the failure',
      iterableSource(input => {
        const { end } = input
        input.end = () => end.call(input)
        return input
      }),
      'that very error',
    ],
  ])('%s is found', async (_, adapter, found) => {
    expect(await broken(adapter)).toEqual(expect.arrayContaining([expect.stringContaining(found)]))
  })
})

/** The reader, with something changed about it. */
function changed(change: (sink: ReturnType<SinkAdapter['open']>) => Partial<ReturnType<SinkAdapter['open']>>): SinkAdapter {
  return {
    ...readerSink,
    open(producer, options) {
      const sink = readerSink.open(producer, options)
      return { ...sink, ...change(sink) }
    },
  }
}

describe('a broken sink', () => {
  it.each<[string, SinkAdapter, string]>([
    ['that loses the first event', changed(sink => ({ received: () => sink.received().slice(1) })), 'what goes in comes out'],
    ['that cannot be closed', changed(() => ({ close: () => {} })), 'closes before the first event'],
    ['that swallows failures', changed(sink => ({ finished: sink.finished.then(() => undefined) })), 'fails the output'],
    [
      'that reads ahead',
      { ...readerSink, open: (producer, options) => readerSink.open(producer, { ...options, maxDemand: 1_000 }) },
      'holds its producer back',
    ],
  ])('%s is found', { timeout: 30_000 }, async (_, adapter, found) => {
    expect(await broken(adapter)).toEqual(expect.arrayContaining([expect.stringContaining(found)]))
  })
})
