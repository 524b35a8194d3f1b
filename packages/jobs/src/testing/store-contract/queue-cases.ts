import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { codeOf, same } from './same.ts'
import { failure, settlement } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

const none = { delayed: 0, waiting: 0, running: 0, completed: 0, failed: 0, discarded: 0, cancelled: 0, paused: false }

/** Queues as a whole: what they count, pauses, clearing, removing. */
export function queueCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('ROW-R6 ROW-G28', 'the stats count by queue and state, and what was ever processed and failed', async bench => {
      same(await bench.store.stats(), { queues: {}, processed: 0, failed: 0 }, 'stats of an empty store')
      await bench.insert(...Array.from({ length: 6 }, () => ({})), { delayMs: 50 }, { delayMs: 500 }, { queue: 'other' })
      const jobs = await bench.claim({ limit: 5 })
      const endings = [
        { to: 'completed' },
        { to: 'failed', failure },
        { to: 'discarded', failure },
        { to: 'cancelled', reason: 'no' },
      ] as const
      const settlements = endings.flatMap((ending, n) => (jobs[n] === undefined ? [] : [settlement(jobs[n], ending)]))
      await bench.store.settle(settlements)
      await bench.advance(100)
      const q = { delayed: 1, waiting: 2, running: 1, completed: 1, failed: 1, discarded: 1, cancelled: 1, paused: false }
      same(await bench.store.stats(), { queues: { q, other: { ...none, waiting: 1 } }, processed: 1, failed: 2 }, 'stats')
    }),
    storeCase('ROW-R6', 'what was ever processed and failed is not lowered by removing, pruning or retrying', async bench => {
      const ids = await bench.insert({}, {}, {})
      const [a, b, c] = await bench.claim()
      claim(a !== undefined && b !== undefined && c !== undefined, 'three jobs were expected')
      await bench.store.settle([
        settlement(a, { to: 'completed' }),
        settlement(b, { to: 'failed', failure }),
        settlement(c, { to: 'discarded', failure }),
      ])
      await bench.store.retry([ids[2] ?? ''])
      await bench.settle(await bench.claimOne(), { to: 'completed' })
      await bench.store.remove([ids[0] ?? ''])
      await bench.advance(10)
      await bench.store.prune({ olderThanMs: { failed: 1, completed: 1 }, limit: 9 })
      same(await bench.store.stats(), { queues: { q: none }, processed: 2, failed: 2 }, 'stats')
    }),
    storeCase('ROW-G17', 'a paused queue gives nothing to anybody until it is resumed; others go on', async bench => {
      await bench.store.pauseQueue('q')
      await bench.insert({}, { delayMs: 30 }, { queue: 'other' })
      same(await bench.claimed(), { jobs: [], paused: true, nextInMs: 30 }, 'a claim while it is paused')
      same((await bench.store.settle([], await bench.request())).claimed?.jobs, [], 'a claim with settlements')
      same((await bench.claim({ queue: 'other' })).length, 1, 'jobs of another queue')
      same((await bench.store.stats()).queues['q'], { ...none, waiting: 1, delayed: 1, paused: true }, 'stats')
      await bench.store.pauseQueue('q')
      await bench.store.resumeQueue('q')
      await bench.advance(30)
      const { jobs, paused } = await bench.claimed()
      same([jobs.length, paused], [2, false], 'a claim after it is resumed')
      await bench.store.resumeQueue('q')
      await bench.store.resumeQueue('of nobody')
      same(Object.keys((await bench.store.stats()).queues).toSorted(), ['other', 'q'], 'queues that are known')
    }),
    storeCase('ROW-G17', 'what runs in a queue is not touched by a pause', async bench => {
      const [id = ''] = await bench.insert({}, {})
      const job = await bench.claimOne()
      await bench.store.pauseQueue('q')
      const { accepted, claimed } = await bench.store.settle(
        [settlement(job, { to: 'retry', inMs: 0, failure })],
        await bench.request(),
      )
      same([accepted, claimed], [[true], { jobs: [], paused: true }], 'answer')
      await bench.has(id, { state: 'waiting' }, 'after it was settled')
    }),
    storeCase('ROW-R16', 'clearing removes what is delayed or waiting in the queue, and nothing else', async bench => {
      const [running = '', done = '', ...cleared] = await bench.insert(
        {},
        {},
        {},
        { kind: 'l' },
        { delayMs: 40 },
        { delayMs: 10 },
      )
      const [other = ''] = await bench.insert({ queue: 'other' })
      const [, finished] = await bench.claim({ limit: 2 })
      if (finished !== undefined) await bench.settle(finished, { to: 'completed' })
      await bench.advance(20)
      same(await bench.store.clearQueue('q'), 4, 'jobs cleared')
      same(await bench.store.clearQueue('q'), 0, 'jobs cleared by a second call')
      same(await bench.store.clearQueue('of nobody'), 0, 'jobs cleared where there are none')
      same(await bench.states(cleared), [undefined, undefined, undefined, undefined], 'states of what was cleared')
      same(await bench.states([running, done, other]), ['running', 'completed', 'waiting'], 'states of the others')
      same(await bench.claimed(), { jobs: [], paused: false }, 'what there is to claim')
    }),
    storeCase('ROW-R16', 'a queue is removed with what has finished in it, unless there is something to do', async bench => {
      const [id = ''] = await bench.insert({ delayMs: 10 }, { queue: 'other' })
      const refused = async (): Promise<unknown> => codeOf(bench.store.removeQueue('q'))
      same(await refused(), 'QUEUE_NOT_EMPTY', 'code while a job is delayed')
      await bench.advance(10)
      same(await refused(), 'QUEUE_NOT_EMPTY', 'code while a job waits')
      const job = await bench.claimOne()
      same(await refused(), 'QUEUE_NOT_EMPTY', 'code while a job runs')
      await bench.store.report([{ seq: job.seq, token: job.token, logs: [{ level: 'info', message: 'm', at: 1 }] }])
      await bench.settle(job, { to: 'completed' })
      await bench.store.pauseQueue('q')
      await bench.store.removeQueue('q')
      same(Object.keys((await bench.store.stats()).queues), ['other'], 'queues')
      same([await bench.states([id]), await bench.store.logs(id)], [[undefined], []], 'the finished job, and its logs')
      same((await bench.store.stats()).processed, 1, 'jobs that were ever completed')
      await bench.store.removeQueue('q')
      await bench.insert({})
      const again = await bench.claimed()
      same([again.jobs.length, again.paused], [1, false], 'a claim in the queue when it is there again')
    }),
    storeCase('JOB-14', 'pruning removes finished jobs by age, state by state, and touches nothing else', async bench => {
      const jobs = Array.from({ length: 5 }, () => ({}))
      const [completed = '', failed = '', discarded = '', cancelled = '', running = ''] = await bench.insert(...jobs)
      const [waiting = '', delayed = ''] = await bench.insert({}, { delayMs: 1e9 })
      const [a, b, c, d] = await bench.claim({ limit: 5 })
      claim(a !== undefined && b !== undefined && c !== undefined && d !== undefined, 'four jobs were expected')
      await bench.store.report([{ seq: a.seq, token: a.token, logs: [{ level: 'info', message: 'm', at: 1 }] }])
      await bench.store.settle([
        settlement(a, { to: 'completed' }),
        settlement(b, { to: 'failed', failure }),
        settlement(c, { to: 'discarded', failure }),
        settlement(d, { to: 'cancelled', reason: 'no' }),
      ])
      const all = { completed: 0, failed: 0, discarded: 0, cancelled: 0 }
      await bench.advance(1_000)
      same(
        await bench.store.prune({ olderThanMs: { completed: 1_000, failed: 5_000 }, limit: 99 }),
        0,
        'pruned when none is older',
      )
      await bench.advance(1)
      same(
        await bench.store.prune({ olderThanMs: { completed: 1_000, failed: 5_000 }, limit: 99 }),
        1,
        'pruned when one is older',
      )
      same(await bench.states([completed, failed]), [undefined, 'failed'], 'states')
      same(await bench.store.logs(completed), [], 'logs of the one that is pruned')
      same(await bench.store.prune({ olderThanMs: {}, limit: 99 }), 0, 'pruned when no state is named')
      same(await bench.store.prune({ olderThanMs: all, limit: 99 }), 3, 'pruned when all are')
      const ids = [failed, discarded, cancelled, running, waiting, delayed]
      same(await bench.states(ids), [undefined, undefined, undefined, 'running', 'waiting', 'delayed'], 'states in the end')
    }),
    storeCase(
      'JOB-14',
      'pruning keeps only so many of the newest, and takes the oldest first, at most as many as allowed',
      async bench => {
        const ids: string[] = []
        for (let n = 0; n < 10; n++) {
          ids.push(...(await bench.insert({ queue: n % 2 === 0 ? 'q' : 'other' })))
          await bench.settle(await bench.claimOne({ queue: n % 2 === 0 ? 'q' : 'other' }), { to: 'completed' })
          await bench.advance(10)
        }
        const left = async (): Promise<number> => (await bench.states(ids)).filter(state => state !== undefined).length
        same([await bench.store.prune({ olderThanMs: {}, keep: { completed: 6 }, limit: 3 }), await left()], [3, 7], 'first call')
        same(
          [await bench.store.prune({ olderThanMs: {}, keep: { completed: 6 }, limit: 3 }), await left()],
          [1, 6],
          'second call',
        )
        same(
          [await bench.store.prune({ olderThanMs: {}, keep: { completed: 6, failed: 0 }, limit: 3 }), await left()],
          [0, 6],
          'third call',
        )
        const gone = (await bench.states(ids)).map(state => state === undefined)
        same(gone, [true, true, true, true, ...Array.from({ length: 6 }, () => false)], 'which are gone, oldest first')
        const both = { olderThanMs: { completed: 35 }, keep: { completed: 5 }, limit: 99 }
        same([await bench.store.prune(both), await left()], [3, 3], 'by age and number together')
      },
    ),
  ]
}
