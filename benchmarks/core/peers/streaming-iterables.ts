/** streaming-iterables: functions over async iterables, one event at a time. */
import { consume, filter, map, parallelMerge, transform } from 'streaming-iterables'
import { installedVersion } from '../../harness/installed-version.ts'
import { branches, concurrency, double, isMultipleOfThree } from '../events.ts'
import type { Peer } from '../peer.ts'
import { Tally } from '../tally.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let next = 0; next < count; next++) yield next
}

async function sumOf(source: AsyncIterable<number>): Promise<number> {
  const sink = new Tally()
  await consume(map(event => sink.add(event), source))
  return sink.sum
}

export const streamingIterables: Peer = {
  label: `streaming-iterables ${installedVersion('streaming-iterables')}`,
  rates: {
    'WL-1': count => sumOf(numbers(count)),
    'WL-2': count => sumOf(filter(isMultipleOfThree, map(double, numbers(count)))),
    'WL-6': count => sumOf(parallelMerge(...Array.from({ length: branches }, () => numbers(count / branches)))),
    'WL-7': count => sumOf(numbers(count)),
    async 'WL-8a'(count) {
      const sink = new Tally()
      await consume(map(event => sink.addLater(event), numbers(count)))
      return sink.sum
    },
    async 'WL-8b'(count) {
      const sink = new Tally()
      await consume(transform(concurrency, event => sink.addNextTurn(event), numbers(count)))
      return sink.sum
    },
  },
}
