/** p-queue: a queue of functions, so many at once. It is no pipeline: only what one queue can do is here. */
import PQueue from 'p-queue'
import { installedVersion } from '../../harness/installed-version.ts'
import { concurrency } from '../events.ts'
import type { Peer } from '../peer.ts'
import { Tally } from '../tally.ts'

/** Everything is queued at once: waiting for room with `onSizeLessThan` is slower. */
async function sumOf(count: number, atOnce: number, work: (sink: Tally, event: number) => Promise<void>): Promise<number> {
  const sink = new Tally()
  const queue = new PQueue({ concurrency: atOnce })
  for (let event = 0; event < count; event++) void queue.add(() => work(sink, event))
  await queue.onIdle()
  return sink.sum
}

export const pQueue: Peer = {
  label: `p-queue ${installedVersion('p-queue')}`,
  rates: {
    'WL-8a': count => sumOf(count, 1, (sink, event) => sink.addLater(event)),
    'WL-8b': count => sumOf(count, concurrency, (sink, event) => sink.addNextTurn(event)),
  },
}
