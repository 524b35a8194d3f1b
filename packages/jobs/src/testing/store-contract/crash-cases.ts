import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { codeOf, same } from './same.ts'
import { crashLimit, leaseMs } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** Runners that die, and what becomes of what they held. */
export function crashCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('JOB-8 F1', 'what a dead runner held waits again, at its old place, with the attempt not counted', async bench => {
      const [first = ''] = await bench.insert({ args: '1' }, { args: '2' })
      const job = await bench.claimOne({ runner: 'mortal' })
      await bench.advance(10)
      const rescued = await bench.die('survivor')
      same(rescued.runners, ['mortal'], 'runners found dead')
      same(rescued.jobs, [{ id: first, queue: 'q', kind: 'k', state: 'waiting' }], 'jobs rescued')
      same(rescued.more, false, 'whether there are more')
      const { history } = await bench.has(
        first,
        { state: 'waiting', attempt: 0, crashes: 1, runAt: job.runAt },
        'after the rescue',
      )
      same(
        history.map(({ attempt, outcome, runner, startedAt }) => [attempt, outcome, runner, startedAt]),
        [[1, 'crash', 'mortal', job.claimedAt]],
        'history',
      )
      claim(!(await bench.settle(job, { to: 'completed' })), 'the dead runner completed it')
      const again = await bench.claim({ runner: 'survivor' })
      same(
        again.map(({ args, attempt, crashes }) => [args, attempt, crashes]),
        [
          ['1', 1, 1],
          ['2', 1, 0],
        ],
        'what is claimed then',
      )
      same((await bench.rescue('survivor')).runners, [], 'runners found dead by the next rescue')
    }),
    storeCase('JOB-8 BAD-102', 'a rescue finds the dead also beside a call that is refused', async bench => {
      const job = bench.newJob()
      await bench.store.insert([job])
      await bench.claimOne({ runner: 'mortal' })
      await bench.register('survivor')
      await bench.rescue('survivor')
      for (let part = 0; part < 4; part++) {
        await bench.advance(leaseMs / 4 + 1)
        await bench.beat('survivor')
      }
      const [rescued, refused] = await Promise.all([
        bench.rescue('survivor', 10),
        codeOf(bench.store.insert([{ ...job, args: '"other"' }])),
      ])
      same(refused, 'ID_CONFLICT', 'code of the call that is refused')
      same([rescued.runners, rescued.jobs.length], [['mortal'], 1], 'runners found dead, and jobs rescued')
    }),
    storeCase('F44 JOB-8', 'jobs that may not be rescued are in nobodys way, and those that may come by pages', async bench => {
      await bench.insert(...Array.from({ length: 60 }, () => ({ priority: -1 })), ...Array.from({ length: 12 }, () => ({})))
      same((await bench.claim({ runner: 'alive', limit: 60 })).length, 60, 'jobs of the one that lives')
      same((await bench.claim({ runner: 'mortal', limit: 60 })).length, 12, 'jobs of the one that dies')
      await bench.rescue('alive', 5)
      for (let part = 0; part < 4; part++) {
        await bench.advance(leaseMs / 4 + 1)
        await bench.beat('alive')
      }
      const pages = []
      for (let page = await bench.rescue('alive', 5); ; page = await bench.rescue('alive', 5)) {
        pages.push([page.runners.length, page.jobs.length, page.more])
        if (!page.more) break
      }
      same(
        pages,
        [
          [1, 5, true],
          [0, 5, true],
          [0, 2, false],
        ],
        'dead runners, jobs and whether there are more, by page',
      )
      same((await bench.store.holdings('alive')).length, 60, 'jobs that the living one holds')
    }),
    storeCase('JOB-1 F44', 'a runner that comes back between two pages of its rescue has none of its old jobs', async bench => {
      await bench.insert(...Array.from({ length: 6 }, () => ({})))
      await bench.claim({ runner: 'mortal' })
      await bench.rescue('survivor', 2)
      await bench.advance(leaseMs + 1)
      await bench.register('survivor')
      same((await bench.rescue('survivor', 2)).jobs.length, 2, 'jobs of the first page')
      await bench.register('mortal')
      same(await bench.store.holdings('mortal'), [], 'what it holds')
      let rescued = 2
      for (let page = await bench.rescue('survivor', 2); page.jobs.length > 0; page = await bench.rescue('survivor', 2)) {
        rescued += page.jobs.length
      }
      same(rescued, 6, 'jobs rescued')
    }),
    storeCase('JOB-7 F15', 'a job that kills its runners fails at the limit of crashes, with all it had', async bench => {
      const [poison = ''] = await bench.insert({ args: '"poison"', maxAttempts: 1 })
      for (let crash = 1; crash <= crashLimit; crash++) {
        const job = await bench.claimOne({ runner: `mortal-${crash}` })
        same([job.attempt, job.crashes], [1, crash - 1], `attempt and crashes of claim ${crash}`)
        if (crash > 1) same(await bench.store.begin([job]), [true], 'begin')
        const { jobs } = await bench.die('survivor')
        same(jobs[0]?.state, crash === crashLimit ? 'failed' : 'waiting', `state after crash ${crash}`)
      }
      const job = await bench.has(poison, { state: 'failed', attempt: 0, crashes: crashLimit, args: '"poison"' }, 'at the limit')
      same(job.failure?.code, 'RUNNER_CRASHED', 'code of the failure')
      claim(job.finishedAt !== undefined, 'it has no finishedAt')
      same(
        job.history.map(({ outcome, runner }) => [outcome, runner]),
        [1, 2, 3].map(crash => ['crash', `mortal-${crash}`]),
        'history',
      )
      same((await bench.store.stats()).failed, 1, 'failed jobs in the stats')
      same(await bench.store.retry([poison]), ['retried'], 'answer to a retry by hand')
      await bench.has(
        poison,
        { state: 'waiting', attempt: 0, crashes: 0, failure: job.failure, history: job.history },
        'after the retry',
      )
    }),
    storeCase('JOB-7 F15', 'a suspect that never began is not counted, however many runners die with it', async bench => {
      const [id = ''] = await bench.insert({})
      await bench.claimOne({ runner: 'mortal' })
      await bench.die('survivor')
      for (let death = 0; death < 5; death++) {
        await bench.claimOne({ runner: 'mortal' })
        await bench.die('survivor')
        await bench.has(id, { state: 'waiting', attempt: 0, crashes: 1 }, `after ${death + 1} deaths in which it had not begun`)
      }
      same((await bench.find(id)).history.length, 1, 'records in the history')
      await bench.store.begin([await bench.claimOne({ runner: 'mortal' })])
      await bench.die('survivor')
      await bench.has(id, { crashes: 2 }, 'after a death in which it had begun')
      await bench.claimOne({ runner: 'mortal' })
      await bench.die('survivor')
      await bench.has(id, { crashes: 2 }, 'after the next claim, which has not begun yet')
    }),
    storeCase(
      'JOB-7 F15',
      'with a limit of one crash a job has failed if it had begun, and otherwise waits again',
      async bench => {
        const [first = '', second = ''] = await bench.insert({}, {})
        const [begun] = await bench.claim({ runner: 'mortal' })
        claim(begun !== undefined, 'a job was expected')
        await bench.store.begin([begun])
        await bench.register('survivor')
        await bench.advance(leaseMs / 2)
        await bench.beat('survivor')
        await bench.advance(leaseMs / 2 + 1)
        await bench.store.rescue({ runner: 'survivor', crashLimit: 1, limit: 10 })
        await bench.has(first, { state: 'failed', attempt: 0, crashes: 1 }, 'the one that had begun')
        await bench.has(second, { state: 'waiting', attempt: 0, crashes: 0, history: [] }, 'the one that had not')
      },
    ),
    storeCase('JOB-7', 'crashes and attempts are counted apart', async bench => {
      const [id = ''] = await bench.insert({})
      await bench.settle(await bench.claimOne(), { to: 'retry', inMs: 0, failure: { name: 'E', message: 'm' } })
      await bench.claimOne({ runner: 'mortal' })
      await bench.die('runner-1')
      await bench.has(id, { attempt: 1, crashes: 1 }, 'after one of each')
      same((await bench.claimOne()).attempt, 2, 'the attempt that comes then')
    }),
  ]
}
