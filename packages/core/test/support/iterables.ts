/** Iterables that tell what is done to them, and a way to ask for their items by hand. */
import { fromIterable, start } from '@genstage/core'
import type { IterableSource, ProducerRef, Runtime } from '@genstage/core'
import { RawConsumer } from './raw-peer.ts'
import type { Item } from './stages.ts'

/** Starts a source, with one consumer that asks when the test says so. */
export function askedByHand(runtime: Runtime, iterable: IterableSource<Item>) {
  const producer: ProducerRef<Item> = start(fromIterable(iterable), { runtime })
  const peer = new RawConsumer(runtime)
  peer.subscribe(producer)
  return { producer, peer, ask: (demand: number) => peer.ask(producer, demand) }
}

/** Counts what is taken of an iterable, and how often it is closed. */
export function watched<T>(iterable: Iterable<T>) {
  const watch = { taken: 0, closed: 0 }
  function* watching(): Generator<T> {
    try {
      for (const item of iterable) {
        watch.taken++
        yield item
      }
    } finally {
      watch.closed++
    }
  }
  return { watch, watching: watching() }
}

export function* endless(): Generator<number> {
  for (let next = 0; ; next++) yield next
}

/** An iterator of which the test decides what each call answers; it counts the calls. */
export function handmade(next: (call: number) => unknown, onReturn: () => unknown = () => ({ done: true, value: undefined })) {
  const calls = { next: 0, return: 0 }
  const iterator = {
    next: () => next(calls.next++),
    return() {
      calls.return++
      return onReturn()
    },
  }
  return {
    calls,
    sync: { [Symbol.iterator]: () => iterator } as Iterable<Item>,
    async: { [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<Item>,
  }
}

/** An async iterable whose items come when the test says so. */
export class Pushed implements AsyncIterable<Item> {
  readonly #waiting: { resolve(result: IteratorResult<Item>): void; reject(error: unknown): void }[] = []
  readonly calls = { next: 0, return: 0 };

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return {
      next: () => {
        this.calls.next++
        return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
      },
      return: async () => {
        this.calls.return++
        return { done: true, value: undefined }
      },
    }
  }

  push(item: Item): void {
    this.#waiting.shift()?.resolve({ done: false, value: item })
  }

  fail(error: unknown): void {
    this.#waiting.shift()?.reject(error)
  }
}
