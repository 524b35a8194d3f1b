import { claim, type ContractCase } from '@genstage/testing'
import type { Hint } from '../../store.ts'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { failure, type StoreBench } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** What listeners hear. Hints may come twice or late, so that only what is missing is a fault here. */
export function hintCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('ROW-R9 JOB-16', 'a hint comes whenever jobs begin to wait, whatever made them', async bench => {
      const [id = ''] = await bench.insert({}, {})
      const [job, other] = await bench.claim()
      claim(job !== undefined && other !== undefined, 'two jobs were expected')
      const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['an insert', () => bench.insert({})],
        ['a release', () => bench.settle(job, { to: 'release' })],
        ['a retry in 0 ms', async () => bench.settle(await bench.claimOne(), { to: 'retry', inMs: 0, failure })],
        ['a runner that leaves', async () => (await bench.claim(), bench.store.unregister('runner-1'))],
        ['a rescue', async () => (await bench.claim({ runner: 'mortal' }), bench.die('survivor'))],
        ['a cancelled job that is retried', async () => (await bench.store.cancel([id], 'no'), bench.store.retry([id]))],
        ['a delayed job that is to run now', async () => bench.store.reschedule(await bench.insert({ delayMs: 9_000 }), 0)],
      ]
      for (const [way, act] of ways) await isHeard(bench, act, way, hint => hint.type === 'waiting' && hint.queue === 'q')
    }),
    storeCase('ROW-R9', 'a claim made when the hint of an insert comes sees the job, or the hint comes again', async bench => {
      const request = await bench.request()
      let claims: Promise<number> = Promise.resolve(0)
      const end = bench.store.listen(hint => {
        if (hint.type !== 'waiting') return
        claims = Promise.all([claims, bench.store.claim(request)]).then(([before, { jobs }]) => before + jobs.length)
      })
      await bench.insert({})
      const again = await claims
      end()
      same(again, 1, 'jobs claimed when the hints came')
    }),
    storeCase('ROW-G25', 'a hint comes for every job that has ended, with its state', async bench => {
      const ids = await bench.insert({}, {}, {}, {}, { priority: 1 })
      const hints = bench.hints()
      const [a, b, c, d] = await bench.claim({ limit: 4 })
      claim(a !== undefined && b !== undefined && c !== undefined && d !== undefined, 'four jobs were expected')
      await bench.settle(a, { to: 'completed' })
      await bench.settle(b, { to: 'failed', failure })
      await bench.settle(c, { to: 'discarded', failure })
      await bench.settle(d, { to: 'cancelled', reason: 'no' })
      await bench.store.cancel([ids[4] ?? ''], 'no')
      const told = hints.flatMap(hint => (hint.type === 'finished' ? [`${hint.id} ${hint.state}`] : []))
      const wanted = ['completed', 'failed', 'discarded', 'cancelled', 'cancelled'].map((state, n) => `${ids[n]} ${state}`)
      same([...new Set(told)], wanted, 'ends that were told')
    }),
    storeCase('ROW-G25', 'hints come for requests to cancel, for pauses and for resuming', async bench => {
      const [id = ''] = await bench.insert({})
      await bench.claimOne()
      await isHeard(
        bench,
        () => bench.store.cancel([id], 'no'),
        'a request',
        hint => hint.type === 'cancelled',
      )
      const isOfQueue = (hint: Hint): boolean => hint.type === 'queue' && hint.queue === 'q'
      await isHeard(bench, () => bench.store.pauseQueue('q'), 'a pause', isOfQueue)
      await isHeard(bench, () => bench.store.resumeQueue('q'), 'resuming', isOfQueue)
    }),
    storeCase('JOB-18', 'a listener that throws harms nobody, and one that has ended hears nothing', async bench => {
      bench.store.listen(() => {
        throw new Error('thrown by a listener')
      })
      const heard = bench.hints()
      const ended: Hint[] = []
      bench.store.listen(hint => void ended.push(hint))()
      const [id = ''] = await bench.insert({})
      await bench.settle(await bench.claimOne(), { to: 'completed' })
      await bench.has(id, { state: 'completed' }, 'in the end')
      same([heard.length > 0, ended.length], [true, 0], 'whether others heard, and what the one heard that had ended')
    }),
  ]
}

async function isHeard(
  bench: StoreBench,
  act: () => Promise<unknown>,
  way: string,
  wanted: (hint: Hint) => boolean,
): Promise<void> {
  const hints: Hint[] = []
  const end = bench.store.listen(hint => void hints.push(hint))
  await act()
  end()
  claim(hints.some(wanted), () => `no hint came for ${way}; heard was ${JSON.stringify(hints)}`)
}
