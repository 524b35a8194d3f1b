import type { ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { holder, isDuplicateOf, isInserted, unique } from './keys.ts'
import { same } from './same.ts'
import type { OpenStore } from './store-under-test.ts'

/** Keys and time: debounce, throttle, and the job for the next window. */
export function windowCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('JOB-10', 'a debounce runs once, so many milliseconds after the last insert, with its args', async bench => {
      const debounced = (n: number) => ({ delayMs: 100, args: `${n}`, unique: unique('started', 'replace') })
      for (let n = 1; n <= 5; n++) {
        await bench.insertAll([debounced(n)])
        await bench.advance(90)
        same(await bench.claim(), [], `jobs 90 ms after insert ${n}`)
      }
      await bench.advance(10)
      const job = await bench.claimOne()
      same(job.args, '5', 'args')
      same((await bench.insertAll([debounced(6)]))[0]?.outcome, 'inserted', 'the first of the next round')
    }),
    storeCase('JOB-10', 'a window holds its key for its time, whatever becomes of the job', async bench => {
      const fates: readonly ((id: string) => Promise<unknown>)[] = [
        async () => bench.settle(await bench.claimOne(), { to: 'completed' }),
        async id => bench.store.cancel([id], 'no'),
        async id => bench.store.remove([id]),
        async () => bench.store.clearQueue('q'),
      ]
      for (const fate of fates) {
        const key = unique(1_000, 'keep')
        const id = await holder(bench, key)
        await fate(id)
        await bench.advance(999)
        await isDuplicateOf(bench, id, key, 'a millisecond before the end of the window')
        await isDuplicateOf(bench, id, unique(1_000, 'replace'), 'as replacement of one that has ended')
        await bench.advance(1)
        await fate(await isInserted(bench, key, 'when the window is over'))
        await bench.advance(1_000)
      }
    }),
    storeCase(
      'JOB-10',
      'next stores one job for the beginning of the next window, and more are duplicates of it',
      async bench => {
        const key = unique(1_000, 'next')
        const first = await holder(bench, key)
        const { enqueuedAt } = await bench.find(first)
        await bench.settle(await bench.claimOne(), { to: 'completed' })
        await bench.advance(300)
        const second = await isInserted(bench, key, 'within the window')
        await bench.has(second, { state: 'delayed', runAt: enqueuedAt + 1_000 }, 'in the window before')
        await isDuplicateOf(bench, second, key, 'within the window, again')
        await isDuplicateOf(bench, second, unique(1_000, 'keep'), 'with keep')
        await bench.advance(700)
        await isDuplicateOf(bench, second, key, 'when it is due and has not started')
        same((await bench.claimOne()).id, second, 'what runs in the second window')
        const third = await isInserted(bench, key, 'when it has started')
        await bench.has(third, { state: 'delayed', runAt: enqueuedAt + 2_000 }, 'in the second window')
      },
    ),
    storeCase('JOB-10', 'while the next one cannot start, no more are stored, even when its window is over', async bench => {
      const key = unique(1_000, 'next')
      await holder(bench, key)
      await bench.claimOne()
      const second = await isInserted(bench, key, 'within the window')
      for (let window = 0; window < 3; window++) {
        await bench.advance(1_000)
        await isDuplicateOf(bench, second, key, `in window ${window + 2}`)
      }
      same((await bench.claimOne()).id, second, 'what starts at last')
      await isInserted(bench, key, 'after it has started, its window being over')
    }),
    storeCase('JOB-10', 'next against a key that is no window is a duplicate', async bench => {
      const id = await holder(bench, unique('finished', 'keep'))
      await isDuplicateOf(bench, id, unique(1_000, 'next'), 'until it has finished')
    }),
  ]
}
