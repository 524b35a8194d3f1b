import { claim, type ContractCase } from '@genstage/testing'
import type { Cancellation } from '../../store.ts'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { type Ending, failure, leaseMs, settlement } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** Cancelling jobs in all states. */
export function cancelCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase(
      'JOB-5 ROW-R5',
      'a job that does not run is cancelled at once, and a second reason changes nothing',
      async bench => {
        const ids = await bench.insert({}, { delayMs: 1_000 })
        const [waiting = ''] = ids
        const { enqueuedAt } = await bench.find(waiting)
        await bench.advance(50)
        same(await bench.store.cancel([...ids, 'of nobody'], 'first'), ['cancelled', 'cancelled', 'missing'], 'answers')
        same(
          await bench.store.cancel([...ids, ...ids], 'second'),
          ['finished', 'finished', 'finished', 'finished'],
          'answers, again',
        )
        for (const id of ids) {
          const ended = {
            state: 'cancelled',
            cancelReason: 'first',
            finishedAt: enqueuedAt + 50,
            attempt: 0,
            startedAt: undefined,
          } as const
          same((await bench.has(id, ended, 'when it is cancelled')).history, [], 'history')
        }
        same(await bench.claimed(), { jobs: [], paused: false }, 'what there is to claim')
      },
    ),
    storeCase('JOB-5', 'a cancel of what has finished changes nothing', async bench => {
      const [id = ''] = await bench.insert({})
      await bench.settle(await bench.claimOne(), { to: 'completed', result: '1' })
      const before = await bench.find(id)
      same(await bench.store.cancel([id], 'too late'), ['finished'], 'answer')
      same(await bench.find(id), before, 'the job')
    }),
    storeCase(
      'ROW-G18',
      'a cancel of what runs is told to its runner until the attempt ends, with the first reason',
      async bench => {
        const [id = ''] = await bench.insert({}, {})
        const [job] = await bench.claim()
        claim(job !== undefined, 'a job was expected')
        same(await bench.store.cancel([id, id], 'first'), ['requested', 'requested'], 'answers')
        same(await bench.store.cancel([id], 'second'), ['requested'], 'answer, again')
        await bench.has(id, { state: 'running', cancelReason: 'first' }, 'while it runs')
        const told: readonly Cancellation[] = [{ seq: job.seq, token: job.token, reason: 'first' }]
        for (let round = 0; round < 2; round++) {
          same(await bench.store.cancellations('runner-1'), told, 'cancellations')
          same(await bench.store.heartbeat('runner-1', leaseMs), { alive: true, cancellations: told }, 'heartbeat')
        }
        await bench.register('other')
        same(await bench.store.cancellations('other'), [], 'cancellations of another runner')
        await bench.settle(job, { to: 'cancelled', reason: 'what the handler says' })
        await bench.has(id, { state: 'cancelled', cancelReason: 'first', attempt: 1 }, 'when it has ended')
        same(await bench.store.cancellations('runner-1'), [], 'cancellations afterwards')
      },
    ),
    ...(
      [
        [{ to: 'retry', inMs: 10, failure }, failure],
        [{ to: 'snooze', inMs: 10 }, undefined],
        [{ to: 'release' }, undefined],
      ] as const satisfies readonly (readonly [Ending, unknown])[]
    ).map(([ending, why]) =>
      storeCase('JOB-5', `a cancellation wins over a ${ending.to}`, async bench => {
        const [id = ''] = await bench.insert({})
        const job = await bench.claimOne()
        await bench.store.cancel([id], 'enough')
        const { accepted, overruled } = await bench.store.settle([settlement(job, ending)])
        same([accepted, overruled], [[true], [{ index: 0, reason: 'enough' }]], 'answer to the settlement')
        const ended = { state: 'cancelled', cancelReason: 'enough', attempt: 1, finishedAt: job.claimedAt, failure: why } as const
        const { history } = await bench.has(id, ended, 'after it was settled')
        same(
          history.map(({ attempt, outcome, failure: told }) => [attempt, outcome, told]),
          [[1, 'cancelled', why]],
          'history',
        )
        same(await bench.claimed(), { jobs: [], paused: false }, 'what there is to claim')
      }),
    ),
    ...(
      [
        [{ to: 'completed', result: '1' }, 'completed'],
        [{ to: 'failed', failure }, 'failed'],
        [{ to: 'discarded', failure }, 'discarded'],
      ] as const
    ).map(([ending, state]) =>
      storeCase('JOB-5', `an attempt that has ${state} stays so, though a cancellation was requested`, async bench => {
        const [id = ''] = await bench.insert({})
        const job = await bench.claimOne()
        await bench.store.cancel([id], 'too late')
        claim(await bench.settle(job, ending), 'the settlement was refused')
        await bench.has(id, { state, cancelReason: undefined }, 'after it was settled')
      }),
    ),
    storeCase('JOB-5 JOB-9', 'a cancellation wins when the runner leaves or dies', async bench => {
      const [left = '', died = ''] = await bench.insert({ args: '1' }, { args: '2' })
      await bench.claimOne({ runner: 'leaving' })
      await bench.claimOne({ runner: 'mortal' })
      await bench.store.cancel([left, died], 'enough')
      await bench.store.unregister('leaving')
      await bench.has(left, { state: 'cancelled', cancelReason: 'enough', attempt: 1 }, 'whose runner left')
      const { jobs } = await bench.die('survivor')
      same(jobs, [{ id: died, queue: 'q', kind: 'k', state: 'cancelled' }], 'jobs rescued')
      await bench.has(died, { state: 'cancelled', cancelReason: 'enough', attempt: 0, crashes: 1 }, 'whose runner died')
      same((await bench.store.stats()).failed, 0, 'failed jobs in the stats')
    }),
    storeCase('JOB-5', 'a cancellation of an earlier life does not come back with a retry by hand', async bench => {
      const [id = ''] = await bench.insert({})
      await bench.claimOne()
      await bench.store.cancel([id], 'enough')
      await bench.store.unregister('runner-1')
      same(await bench.store.retry([id]), ['retried'], 'answer')
      await bench.register('runner-1')
      const job = await bench.claimOne()
      same(await bench.store.cancellations('runner-1'), [], 'cancellations')
      await bench.settle(job, { to: 'release' })
      await bench.has(id, { state: 'waiting', cancelReason: undefined }, 'afterwards')
    }),
  ]
}
