import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { failure, leaseMs, settlement } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** What another handle on the same data sees and does, as another process would. */
export function reopenCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('ROW-S10 JOB-1 F33', 'another handle finds everything as it is', async bench => {
      const unique = { key: 'key', until: 'finished', conflict: 'keep' } as const
      const ids = await bench.insert({ tags: ['x'], timeoutMs: 5 }, {}, {}, { delayMs: 500 }, { queue: 'paused', unique })
      await bench.store.pauseQueue('paused')
      const [first, second] = await bench.claim({ limit: 3 })
      claim(first !== undefined && second !== undefined, 'two jobs were expected')
      const logs = [{ level: 'info', message: '😀', at: 7 }] as const
      await bench.store.report([{ seq: first.seq, token: first.token, progress: '"half"', logs }])
      await bench.store.settle([
        settlement(first, { to: 'completed', result: '1' }),
        settlement(second, { to: 'failed', failure }),
      ])
      const other = await bench.reopen()
      same(await other.find(ids), await bench.store.find(ids), 'jobs')
      same(await other.stats(), await bench.store.stats(), 'stats')
      same(await other.logs(first.id), logs, 'logs')
      same(await other.list({ limit: 9 }), await bench.store.list({ limit: 9 }), 'list')
      same(await other.holdings('runner-1'), await bench.store.holdings('runner-1'), 'holdings')
      same(await other.runners(), await bench.store.runners(), 'runners')
      same(await other.insert([bench.newJob({ unique })]), [{ id: ids[4], outcome: 'duplicate', queue: 'paused' }], 'a duplicate')
    }),
    storeCase('F33 JOB-4', 'two handles never give one job twice, nor one number twice', async bench => {
      const other = await bench.reopen()
      await bench.register('runner-2')
      const here = await bench.request({ limit: 3 })
      const there = { ...here, runner: 'runner-2' }
      for (let round = 0; round < 10; round++) {
        await bench.insert({}, {}, {})
        await other.insert([bench.newJob(), bench.newJob()])
        const [a, b] = await Promise.all([bench.store.claim(here), other.claim(there)])
        const tokens = [...a.jobs, ...b.jobs].map(({ token }) => token)
        same([tokens.length, new Set(tokens).size], [5, 5], 'jobs given, and different tokens')
        await Promise.all([
          other.settle(a.jobs.map(job => settlement(job, { to: 'completed' }))),
          bench.store.settle(b.jobs.map(job => settlement(job, { to: 'completed' }))),
        ])
      }
      const seqs = (await bench.all()).map(({ seq }) => seq)
      same([seqs.length, new Set(seqs).size], [50, 50], 'jobs, and different numbers')
    }),
    storeCase('ROW-G18', 'what one handle cancels, pauses and begins, the other knows', async bench => {
      const [id = ''] = await bench.insert({})
      const job = await bench.claimOne()
      const other = await bench.reopen()
      same(await other.cancel([id], 'from elsewhere'), ['requested'], 'answer')
      const told = [{ seq: job.seq, token: job.token, reason: 'from elsewhere' }]
      same(await bench.store.heartbeat('runner-1', leaseMs), { alive: true, cancellations: told }, 'heartbeat')
      await other.pauseQueue('q')
      same((await bench.claimed()).paused, true, 'whether the queue is paused')
      same(await other.begin([job]), [true], 'begin')
    }),
    storeCase('JOB-8 F1', 'a handle rescues what a runner of another handle held', async bench => {
      await bench.insert({})
      const other = await bench.reopen()
      await other.register({ id: 'elsewhere', host: 'there', pid: 4_243, queues: [] }, leaseMs)
      const { jobs } = await other.claim({ ...(await bench.request()), runner: 'elsewhere' })
      same(jobs.length, 1, 'jobs claimed elsewhere')
      const rescued = await bench.die('runner-1')
      same([rescued.runners, rescued.jobs.length], [['elsewhere'], 1], 'runners found dead, and jobs rescued')
      same(await other.heartbeat('elsewhere', leaseMs), { alive: false, cancellations: [] }, 'its heartbeat')
    }),
  ]
}
