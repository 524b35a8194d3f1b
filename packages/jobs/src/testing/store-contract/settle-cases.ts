import { claim, type ContractCase } from '@genstage/testing'
import type { StoredJob } from '../../store.ts'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { type Ending, failure, settlement } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** How attempts end. */
export function settleCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  const finalEndings: readonly (readonly [Ending, Partial<StoredJob>])[] = [
    [
      { to: 'completed', result: '{"n":1}' },
      { state: 'completed', result: '{"n":1}' },
    ],
    [{ to: 'completed' }, { state: 'completed', result: undefined }],
    [
      { to: 'failed', failure },
      { state: 'failed', failure },
    ],
    [
      { to: 'discarded', failure },
      { state: 'discarded', failure },
    ],
    [
      { to: 'cancelled', reason: 'no more' },
      { state: 'cancelled', cancelReason: 'no more' },
    ],
  ]
  return [
    ...finalEndings.map(([ending, wanted]) =>
      storeCase(
        'ROW-G6 JOB-5',
        `a job that has ended as ${JSON.stringify(ending)} stays so, and is claimed no more`,
        async bench => {
          const [id = ''] = await bench.insert({})
          const job = await bench.claimOne()
          await bench.advance(500)
          claim(await bench.settle(job, ending, 400), 'the settlement was refused')
          const { claimedAt } = job
          const ended = { attempt: 1, startedAt: claimedAt + 100, finishedAt: claimedAt + 500, runner: 'runner-1' }
          const { history } = await bench.has(id, { ...wanted, ...ended }, 'after its end')
          const outcome = ending.to
          const record = { attempt: 1, runner: 'runner-1', startedAt: claimedAt + 100, endedAt: claimedAt + 500, outcome }
          const failed = outcome === 'failed' || outcome === 'discarded' ? { failure } : {}
          same(history, outcome === 'completed' ? [] : [{ ...record, ...failed }], 'history')
          same(await bench.claim(), [], 'what there is to claim')
        },
      ),
    ),
    storeCase('ROW-G7 JOB-7', 'a retry comes when it is due, as the next attempt, with what was reported', async bench => {
      const [id = ''] = await bench.insert({ priority: 4 })
      const job = await bench.claimOne()
      await bench.store.report([{ seq: job.seq, token: job.token, progress: '"half"' }])
      claim(await bench.settle(job, { to: 'retry', inMs: 60_000, failure }), 'the settlement was refused')
      const runAt = job.claimedAt + 60_000
      await bench.has(id, { state: 'delayed', attempt: 1, crashes: 0, runAt, failure, finishedAt: undefined }, 'after the retry')
      same((await bench.claimed()).nextInMs, 60_000, 'nextInMs')
      await bench.advance(60_000)
      const again = await bench.claimOne()
      same([again.attempt, again.progress, again.priority, again.runAt], [2, '"half"', 4, runAt], 'the second attempt')
      await bench.settle(again, { to: 'completed', result: '1' })
      const { history } = await bench.has(id, { state: 'completed', attempt: 2, failure }, 'in the end')
      same(
        history.map(({ attempt, outcome, failure: why }) => [attempt, outcome, why]),
        [[1, 'retry', failure]],
        'history',
      )
    }),
    storeCase('ROW-G7', 'a retry in 0 ms waits at once', async bench => {
      await bench.insert({})
      await bench.settle(await bench.claimOne(), { to: 'retry', inMs: 0, failure })
      same((await bench.claimOne()).attempt, 2, 'attempt')
    }),
    storeCase('JOB-7', 'a snooze does not count, however often', async bench => {
      const [id = ''] = await bench.insert({})
      for (let round = 0; round < 5; round++) {
        const job = await bench.claimOne()
        same(job.attempt, 1, `attempt of round ${round}`)
        await bench.settle(job, { to: 'snooze', inMs: 1_000 })
        await bench.has(id, { state: 'delayed', runAt: job.claimedAt + 1_000 }, 'while it is snoozed')
        await bench.advance(1_000)
      }
      const { history } = await bench.find(id)
      same(
        history.map(({ attempt, outcome }) => [attempt, outcome]),
        Array.from({ length: 5 }, () => [1, 'snooze']),
        'history',
      )
    }),
    storeCase('JOB-9 ROW-G1', 'a release does not count, and the job waits again at its old place', async bench => {
      await bench.insert({ args: '1' }, { args: '2' })
      const first = await bench.claimOne()
      await bench.advance(100)
      claim(await bench.settle(first, { to: 'release' }), 'the settlement was refused')
      const { history } = await bench.has(first.id, { state: 'waiting', attempt: 0, runAt: first.runAt }, 'after the release')
      same(history, [], 'history')
      const [again, other] = await bench.claim()
      same([again?.args, again?.attempt, other?.args], ['1', 1, '2'], 'what is claimed then')
    }),
    storeCase('JOB-4 F9', 'a stale token is refused, and changes nothing', async bench => {
      const [id = ''] = await bench.insert({ maxAttempts: 9 })
      const stale = await bench.claimOne()
      await bench.settle(stale, { to: 'retry', inMs: 0, failure })
      const held = await bench.claimOne({ runner: 'runner-2' })
      const before = await bench.find(id)
      const endings: readonly Ending[] = [
        ...finalEndings.map(([ending]) => ending),
        { to: 'retry', inMs: 0, failure },
        { to: 'snooze', inMs: 0 },
        { to: 'release' },
      ]
      for (const ending of endings) claim(!(await bench.settle(stale, ending)), `${ending.to} with a stale token was accepted`)
      claim(!(await bench.settle({ ...held, seq: held.seq + 1 }, { to: 'completed' })), 'a token was accepted for another job')
      same(await bench.find(id), before, 'the job')
      claim(await bench.settle(held, { to: 'completed' }), 'the holder was refused')
      for (const ending of endings) claim(!(await bench.settle(held, ending)), `${ending.to} was accepted after the end`)
      await bench.has(id, { state: 'completed', attempt: 2 }, 'in the end')
    }),
    storeCase('JOB-4 F9', 'of settlements of one claim, in one call or in several, exactly one is accepted', async bench => {
      await bench.insert(...Array.from({ length: 20 }, () => ({})))
      const second = await bench.reopen()
      for (const job of await bench.claim({ limit: 20 })) {
        const completed = settlement(job, { to: 'completed' })
        const failed = settlement(job, { to: 'failed', failure })
        const answers = await Promise.all([
          bench.store.settle([completed, failed]),
          second.settle([failed]),
          second.settle([completed]),
        ])
        same(answers.flatMap(({ accepted }) => accepted).filter(Boolean).length, 1, 'accepted settlements')
      }
      const { processed, failed } = await bench.store.stats()
      same(processed + failed, 20, 'ends that were counted')
    }),
    storeCase('JOB-4', 'a call of many settlements is answered in their order', async bench => {
      await bench.insert(...Array.from({ length: 6 }, (_, n) => ({ args: `${n}` })))
      const jobs = await bench.claim()
      await bench.settle(jobs[1] ?? (await bench.claimOne()), { to: 'completed' })
      const { accepted, claimed } = await bench.store.settle(jobs.map(job => settlement(job, { to: 'completed' })))
      same([accepted, claimed], [[true, false, true, true, true, true], undefined], 'answers')
      same((await bench.store.settle([])).accepted, [], 'answers to no settlement')
    }),
    storeCase(
      'ROW-G5 ROW-G6',
      'a settlement can claim the next jobs in the same call, and those that it lets wait again',
      async bench => {
        await bench.insert({ args: '1' }, { args: '2' }, { args: '3' })
        const [first, second] = await bench.claim({ limit: 2 })
        claim(first !== undefined && second !== undefined, 'two jobs were expected')
        const { accepted, claimed } = await bench.store.settle(
          [settlement(first, { to: 'completed' }), settlement(second, { to: 'retry', inMs: 0, failure })],
          await bench.request({ limit: 5 }),
        )
        same(accepted, [true, true], 'answers')
        same(
          claimed?.jobs.map(({ args, attempt }) => [args, attempt]),
          [
            ['2', 2],
            ['3', 1],
          ],
          'what was claimed with it',
        )
        const empty = await bench.store.settle([], await bench.request())
        same(empty.claimed, { jobs: [], paused: false }, 'a claim with no settlement')
      },
    ),
    storeCase('JOB-7', 'of the records of attempts the newest 25 are kept', async bench => {
      const [id = ''] = await bench.insert({ maxAttempts: 99 })
      for (let attempt = 1; attempt <= 30; attempt++) {
        await bench.settle(await bench.claimOne(), { to: 'retry', inMs: 0, failure: { ...failure, message: `no ${attempt}` } })
      }
      const { history } = await bench.has(id, { attempt: 30 }, 'after 30 attempts')
      same(
        history.map(({ attempt, failure: why }) => [attempt, why?.message]),
        Array.from({ length: 25 }, (_, n) => [n + 6, `no ${n + 6}`]),
        'attempts in the history, oldest first',
      )
    }),
    storeCase('F12', 'a failure with nothing but a name and a message, or very long texts, is kept as it is', async bench => {
      for (const why of [
        { name: 'Error', message: '' },
        { name: 'Error', message: '😀\u2028"\'', stack: 's'.repeat(8_192), code: 'E' },
      ]) {
        const [id = ''] = await bench.insert({})
        await bench.settle(await bench.claimOne(), { to: 'failed', failure: why })
        const { history } = await bench.has(id, { state: 'failed' }, 'after it failed')
        same([(await bench.find(id)).failure, history[0]?.failure], [why, why], 'failure')
      }
    }),
  ]
}
