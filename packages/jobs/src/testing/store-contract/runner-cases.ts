import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { leaseMs } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** Runners that come, beat and leave: what they hold, and what is known of them. */
export function runnerCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('JOB-8 F10', 'a runner that beats keeps what it holds, however long it runs', async bench => {
      await bench.insert({})
      const job = await bench.claimOne()
      await bench.register('other')
      for (let part = 0; part < 40; part++) {
        await bench.advance(leaseMs / 4)
        await bench.beat('runner-1', 'other')
        same(await bench.rescue('other'), { runners: [], jobs: [], more: false }, `rescue after ${part / 4} leases`)
      }
      claim(await bench.settle(job, { to: 'completed' }), 'the holder was refused')
    }),
    storeCase('JOB-8', 'within its lease nobody is judged dead, and nobody judges himself', async bench => {
      await bench.insert({}, {})
      await bench.claimOne({ runner: 'a' })
      await bench.claimOne({ runner: 'b' })
      await bench.rescue('a')
      await bench.advance(leaseMs - 1)
      same(await bench.rescue('a'), { runners: [], jobs: [], more: false }, 'a rescue within the lease')
      await bench.advance(leaseMs)
      same((await bench.rescue('a')).runners, ['b'], 'runners found dead by one that is as late')
    }),
    storeCase(
      'JOB-8 F8',
      'a runner that was judged dead is told so, and gets nothing more until it registers again',
      async bench => {
        await bench.insert({}, {})
        const job = await bench.claimOne({ runner: 'zombie' })
        await bench.die('survivor')
        same(await bench.store.heartbeat('zombie', leaseMs), { alive: false, cancellations: [] }, 'its heartbeat')
        same(
          await bench.store.heartbeat('unheard of', leaseMs),
          { alive: false, cancellations: [] },
          'the heartbeat of a stranger',
        )
        const { jobs } = await bench.store.claim({ runner: 'zombie', queue: 'q', limit: 9, kinds: ['k'] })
        same(jobs, [], 'jobs it claims')
        same(await bench.store.begin([job]), [false], 'its begin')
        same(await bench.store.report([{ seq: job.seq, token: job.token, progress: '1' }]), [false], 'its report')
        same(
          [await bench.store.holdings('zombie'), await bench.store.cancellations('zombie')],
          [[], []],
          'what it holds, and is to cancel',
        )
        await bench.register('zombie')
        same((await bench.claim({ runner: 'zombie' })).length, 2, 'jobs it claims after it has registered')
        await bench.beat('zombie')
      },
    ),
    storeCase('JOB-4', 'begin and report take only those that hold the job', async bench => {
      await bench.insert({}, {})
      const [first, second] = await bench.claim()
      claim(first !== undefined && second !== undefined, 'two jobs were expected')
      await bench.settle(first, { to: 'completed' })
      same(await bench.store.begin([first, second]), [false, true], 'begin')
      same(await bench.store.report([first, second].map(({ seq, token }) => ({ seq, token }))), [false, true], 'report')
      same(await bench.store.begin([]), [], 'begin of none')
    }),
    storeCase('JOB-9 F37', 'what a runner holds when it leaves waits again, not counted as attempt or crash', async bench => {
      const [id = ''] = await bench.insert({}, {})
      const [job] = await bench.claim({ runner: 'leaving' })
      await bench.store.unregister('leaving')
      await bench.has(id, { state: 'waiting', attempt: 0, crashes: 0, history: [] }, 'after it has left')
      claim(job !== undefined && !(await bench.settle(job, { to: 'completed' })), 'it settled after it had left')
      same(await bench.store.runners(), [], 'runners')
      await bench.store.unregister('leaving')
      same((await bench.claim()).length, 2, 'jobs that another claims')
    }),
    storeCase('F3', 'holdings are what a runner has claimed and not settled', async bench => {
      await bench.insert({}, {}, {})
      const [first, ...others] = await bench.claim()
      if (first !== undefined) await bench.settle(first, { to: 'completed' })
      const held = await bench.store.holdings('runner-1')
      same(
        held.toSorted((a, b) => a.seq - b.seq).map(({ seq, token }) => [seq, token]),
        others.map(({ seq, token }) => [seq, token]),
        'holdings',
      )
      same(await bench.store.holdings('nobody'), [], 'holdings of nobody')
    }),
    storeCase('ROW-G20', 'runners are listed with what they told of themselves', async bench => {
      await bench.register('runner-1')
      const [first] = await bench.store.runners()
      const startedAt = first?.startedAt ?? 0
      const about = { id: 'runner-1', name: 'mine', host: 'here', pid: 4_242, startedAt, metadata: '{"zone":"a"}' }
      const idle = [{ name: 'q', concurrency: 10, running: 0, processed: 0 }]
      same(first, { ...about, seenAt: startedAt, queues: idle }, 'a runner that has just come')
      await bench.advance(100)
      const busy = [
        { name: 'q', concurrency: 20, running: 3, processed: 99, lastJobAt: 5 },
        { name: 'added', concurrency: 1, running: 0, processed: 0 },
      ]
      await bench.store.heartbeat('runner-1', leaseMs, { queues: busy })
      same(await bench.store.runners(), [{ ...about, seenAt: startedAt + 100, queues: busy }], 'after a heartbeat with figures')
      await bench.advance(100)
      await bench.beat('runner-1')
      same(await bench.store.runners(), [{ ...about, seenAt: startedAt + 200, queues: busy }], 'after one without')
    }),
    storeCase('ROW-G20', 'a runner that has died is not listed, though no other is there to find it', async bench => {
      await bench.register('mortal')
      await bench.advance(leaseMs - 1)
      same((await bench.store.runners()).length, 1, 'runners within the lease')
      await bench.advance(1)
      same(await bench.store.runners(), [], 'runners after it')
      same(await bench.store.heartbeat('mortal', leaseMs), { alive: true, cancellations: [] }, 'a beat after all')
      same((await bench.store.runners()).length, 1, 'runners after that beat')
    }),
    storeCase('F7', 'there is one leader, until it leaves or dies', async bench => {
      for (const runner of ['a', 'b', 'c']) await bench.register(runner)
      same(await bench.store.lead('stranger'), false, 'whether one leads that is not registered')
      same(
        [await bench.store.lead('a'), await bench.store.lead('b'), await bench.store.lead('a')],
        [true, false, true],
        'who leads',
      )
      await bench.store.unregister('a')
      same([await bench.store.lead('b'), await bench.store.lead('c')], [true, false], 'who leads after the first has left')
      await bench.die('c')
      same(await bench.store.lead('c'), true, 'whether the last one leads')
      await bench.register('b')
      same(await bench.store.lead('b'), false, 'whether one leads that has come back')
    }),
  ]
}
