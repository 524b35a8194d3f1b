import { claim, type ContractCase } from '@genstage/testing'
import type { NewJob } from '../../store.ts'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import type { OpenStore } from './store-under-test.ts'

/** Which jobs a runner gets, and when. */
export function claimCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('ROW-G5 JOB-4', 'a claimed job is running, and the claim tells all that its handler needs', async bench => {
      const [id = ''] = await bench.insert({ version: 2, args: '[1]', priority: 3, maxAttempts: 4, timeoutMs: 99 })
      const stored = await bench.find(id)
      await bench.advance(250)
      const job = await bench.claimOne()
      const { seq, queue, kind, enqueuedAt, runAt } = stored
      const told = {
        id,
        seq,
        queue,
        kind,
        version: 2,
        args: '[1]',
        priority: 3,
        maxAttempts: 4,
        timeoutMs: 99,
        enqueuedAt,
        runAt,
      }
      same({ ...job, token: 0 }, { ...told, token: 0, attempt: 1, crashes: 0, claimedAt: enqueuedAt + 250 }, 'the claim')
      await bench.has(id, { state: 'running', attempt: 1, runner: 'runner-1', startedAt: job.claimedAt }, 'after the claim')
      same(await bench.claim(), [], 'what another claim gets')
    }),
    storeCase('JOB-12 ROW-G12', 'the order is priority, then run-at, then that of the inserts', async bench => {
      const { enqueuedAt: now } = await bench.find((await bench.insert({ queue: 'other' }))[0] ?? '')
      const jobs: readonly Partial<NewJob>[] = [
        { args: '"f"', priority: 1 },
        { args: '"d"' },
        { args: '"e"' },
        { args: '"b"', runAt: now - 2_000 },
        { args: '"c"', runAt: now - 1_000 },
        { args: '"a"', priority: -2_147_483_648 },
        { args: '"g"', priority: 2_147_483_647, runAt: now - 5_000 },
      ]
      await bench.insert(...jobs)
      const order: string[] = []
      for (let limit = 1; order.length < jobs.length; limit++)
        order.push(...(await bench.claim({ limit })).map(({ args }) => args))
      same(order, ['"a"', '"b"', '"c"', '"d"', '"e"', '"f"', '"g"'], 'the order of claims')
    }),
    storeCase('JOB-12 JOB-3', 'a delayed job takes its place by its time, among those that came meanwhile', async bench => {
      await bench.insert({ args: '"second"', delayMs: 20 }, { args: '"first"', delayMs: 10 })
      await bench.advance(15)
      await bench.insert({ args: '"before second"' })
      await bench.advance(10)
      await bench.insert({ args: '"last"' })
      same(
        (await bench.claim()).map(({ args }) => args),
        ['"first"', '"before second"', '"second"', '"last"'],
        'the order of claims',
      )
    }),
    storeCase('ROW-G5', 'no claim takes more than its limit, nor from another queue', async bench => {
      await bench.insert(...Array.from({ length: 7 }, () => ({})), { queue: 'other' })
      same((await bench.claim({ limit: 3 })).length, 3, 'jobs of the first claim')
      same((await bench.claim({ limit: 3 })).length, 3, 'jobs of the second claim')
      same((await bench.claim({ limit: 3 })).length, 1, 'jobs of the third claim')
      same(await bench.claimed({ queue: 'of nobody' }), { jobs: [], paused: false }, 'a claim in a queue that is not there')
    }),
    storeCase('JOB-19', 'jobs of kinds that a runner does not know are left, and stop nobody', async bench => {
      const foreign = Array.from({ length: 150 }, () => ({ kind: 'foreign', priority: -1 }))
      await bench.insert(...foreign, { kind: 'b', args: '1' }, { kind: 'a', args: '2' }, { kind: 'b', args: '3' })
      same(await bench.claim({ kinds: ['unheard of'] }), [], 'jobs for a runner that knows none of the kinds')
      same(
        (await bench.claim({ kinds: ['a', 'b', 'unheard of'] })).map(({ args }) => args),
        ['1', '2', '3'],
        'jobs of known kinds, in order',
      )
      same(
        (await bench.claim({ runner: 'runner-2', kinds: ['foreign', 'a'], limit: 999 })).length,
        150,
        'jobs for the one that knows it',
      )
    }),
    storeCase(
      'JOB-3 ROW-S3',
      'a delayed job is claimed when it is due, and not before; the claim tells when that is',
      async bench => {
        const [delayed = '', at = ''] = await bench.insert({ delayMs: 1_000 }, { delayMs: 50 })
        const { enqueuedAt: now } = await bench.find(at)
        await bench.insert({ runAt: now + 3_000, delayMs: 1 })
        await bench.has(delayed, { state: 'delayed', runAt: now + 1_000 }, 'while it is delayed')
        same(await bench.claimed(), { jobs: [], paused: false, nextInMs: 50 }, 'before the first')
        await bench.advance(49)
        same(await bench.claimed(), { jobs: [], paused: false, nextInMs: 1 }, 'a millisecond before the first')
        await bench.advance(1)
        await bench.has(at, { state: 'waiting' }, 'when it is due')
        const first = await bench.claimed()
        same([first.jobs.map(({ id }) => id), first.nextInMs], [[at], 950], 'when the first is due')
        await bench.advance(950)
        same((await bench.claimed()).nextInMs, 2_000, 'nextInMs when the second is due')
        await bench.advance(2_000)
        const last = await bench.claimed()
        same([last.jobs.length, last.nextInMs], [1, undefined], 'the last')
      },
    ),
    storeCase('JOB-3', 'a run-at that is over, or a delay of 0, is no delay', async bench => {
      const [now = ''] = await bench.insert({ delayMs: 0 })
      const { enqueuedAt } = await bench.find(now)
      const [past = ''] = await bench.insert({ runAt: enqueuedAt - 60_000, delayMs: 5_000 })
      await bench.has(past, { state: 'waiting', runAt: enqueuedAt - 60_000 }, 'whose time is over')
      same((await bench.claim()).length, 2, 'jobs that wait')
    }),
    storeCase('F39', 'many delayed jobs that become due at once are all claimed, in order', async bench => {
      await bench.insert(...Array.from({ length: 500 }, (_, n) => ({ delayMs: 1_000 - n, args: `${n}` })))
      await bench.advance(1_000)
      const { queues } = await bench.store.stats()
      same([queues['q']?.delayed, queues['q']?.waiting], [0, 500], 'delayed and waiting in the stats')
      const jobs = await bench.claim({ limit: 500 })
      claim(
        jobs.length === 500 && jobs.every(({ args }, n) => args === `${499 - n}`),
        'they did not come in the order of their times',
      )
    }),
    storeCase('JOB-4', 'no two claims give the same token, and tokens rise', async bench => {
      const tokens: number[] = []
      for (let round = 0; round < 5; round++) {
        await bench.insert({}, {})
        for (const job of await bench.claim()) {
          tokens.push(job.token)
          await bench.settle(job, { to: 'release' })
        }
      }
      claim(
        tokens.every((token, n) => Number.isSafeInteger(token) && token > (tokens[n - 1] ?? -1)),
        `tokens: ${tokens.join(', ')}`,
      )
    }),
    storeCase('JOB-4 F9', 'claims made at the same time share the jobs, and none is given twice', async bench => {
      await bench.insert(...Array.from({ length: 40 }, () => ({})))
      const second = await bench.reopen()
      await bench.register('runner-2')
      const requests = await Promise.all([bench.request({ limit: 7 }), bench.request({ limit: 7, runner: 'runner-2' })])
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? bench.store : second).claim(requests[n % 2] ?? requests[0])),
      )
      const ids = claims.flatMap(({ jobs }) => jobs.map(({ id }) => id))
      same([ids.length, new Set(ids).size], [40, 40], 'jobs given, and different ones')
    }),
    storeCase('JOB-1', 'a runner that is not registered gets nothing: nobody would rescue it', async bench => {
      const [id = ''] = await bench.insert({})
      const { jobs } = await bench.store.claim({ runner: 'nobody', queue: 'q', limit: 9, kinds: ['k'] })
      same(jobs, [], 'jobs for it')
      await bench.has(id, { state: 'waiting' }, 'afterwards')
    }),
  ]
}
