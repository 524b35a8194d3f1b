import { claim, type ContractCase } from '@genstage/testing'
import type { ListQuery, LogEntry } from '../../store.ts'
import { casesOf } from './cases-of.ts'
import { same } from './same.ts'
import { failure } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** Looking at jobs, and changing them by hand. */
export function lookCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase(
      'ROW-R4',
      'jobs are found by id, in the order of the ids, also twice, also those that are not there',
      async bench => {
        const [a = '', b = ''] = await bench.insert({ args: '1' }, { queue: 'other', args: '2' })
        const found = await bench.store.find([b, 'of nobody', a, b])
        same(
          found.map(job => [job?.queue, job?.args]),
          [
            ['other', '2'],
            [undefined, undefined],
            ['q', '1'],
            ['other', '2'],
          ],
          'jobs found',
        )
        same(await bench.store.find([]), [], 'jobs found for no ids')
      },
    ),
    storeCase('ROW-R4', 'what was read does not change afterwards', async bench => {
      const [id = ''] = await bench.insert({})
      const before = await bench.find(id)
      const picture = JSON.stringify(before)
      await bench.settle(await bench.claimOne(), { to: 'failed', failure })
      same(JSON.stringify(before), picture, 'the job that was read before')
    }),
    storeCase('ROW-R16', 'jobs are listed newest first, by pages that miss none and give none twice', async bench => {
      const ids = await bench.insert(...Array.from({ length: 23 }, (_, n) => ({ priority: -n })))
      for (const limit of [1, 7, 23, 24]) {
        same(
          (await bench.all(limit)).map(({ id }) => id),
          ids.toReversed(),
          `jobs by pages of ${limit}`,
        )
      }
      const first = await bench.store.list({ limit: 10 })
      const newer = await bench.insert({}, {})
      await bench.store.remove([first.jobs.at(-1)?.id ?? '', ids[3] ?? ''])
      const rest = await bench.store.list({ limit: 100, before: first.next })
      const wanted = ids.toReversed().slice(10)
      same(
        rest.jobs.map(({ id }) => id),
        wanted.filter(id => id !== ids[3]),
        'the second page, after some came and some went',
      )
      same(
        (await bench.store.list({ limit: 2 })).jobs.map(({ id }) => id),
        newer.toReversed(),
        'the first page then',
      )
      claim((await bench.store.list({ limit: 23 })).next === undefined, 'the last page, which is full, tells of another one')
    }),
    storeCase('ROW-R16', 'lists are filtered by queue, kind, state and tag, and by all of them together', async bench => {
      await bench.insert(
        { args: '0', tags: ['x', 'y'] },
        { args: '1', queue: 'r', tags: ['y'] },
        { args: '2', kind: 'l', delayMs: 100 },
        { args: '3', queue: 'r', kind: 'l', delayMs: 5_000, tags: ['xy'] },
        { args: '4', priority: -1 },
      )
      await bench.settle(await bench.claimOne(), { to: 'completed' })
      await bench.advance(100)
      const queries: readonly (readonly [Omit<ListQuery, 'limit'>, string])[] = [
        [{}, '43210'],
        [{ queues: ['q'] }, '420'],
        [{ queues: ['r', 'q'] }, '43210'],
        [{ kinds: ['l'] }, '32'],
        [{ states: ['waiting'] }, '210'],
        [{ states: ['completed', 'delayed'] }, '43'],
        [{ states: ['running', 'failed'] }, ''],
        [{ tag: 'y' }, '10'],
        [{ tag: 'x' }, '0'],
        [{ tag: 'z' }, ''],
        [{ queues: ['q'], kinds: ['k'], states: ['waiting'], tag: 'y' }, '0'],
      ]
      for (const [query, wanted] of queries) {
        const { jobs, next } = await bench.store.list({ ...query, limit: 5 })
        same([jobs.map(({ args }) => args).join(''), next], [wanted, undefined], `jobs for ${JSON.stringify(query)}`)
      }
      const page = await bench.store.list({ queues: ['q'], limit: 2 })
      const rest = await bench.store.list({ queues: ['q'], limit: 2, before: page.next })
      same([page.jobs.length, rest.jobs.length, rest.next], [2, 1, undefined], 'pages of a filtered list')
    }),
    storeCase(
      'ROW-R16 ROW-R6',
      'delayed jobs that become due wait, for all who look, however many become due at once',
      async bench => {
        const ids = await bench.insert(
          ...Array.from({ length: 1_200 }, (_, n) => ({ delayMs: 10 + (n % 3), kind: n % 2 === 0 ? 'k' : 'l' })),
        )
        const later = await bench.insert({ delayMs: 5_000 }, { delayMs: 13 })
        await bench.advance(12)
        for (const when of ['before anything is claimed', 'after a claim']) {
          const delayed = await bench.store.list({ states: ['delayed'], limit: 1_000 })
          same([delayed.jobs.map(({ id }) => id), delayed.next], [later.toReversed(), undefined], `delayed jobs ${when}`)
          const waiting: string[] = []
          for (let before: number | undefined; ;) {
            const page = await bench.store.list({ states: ['waiting', 'running'], limit: 100, before })
            waiting.push(...page.jobs.map(({ id }) => id))
            if ((before = page.next) === undefined) break
          }
          same(waiting, ids.toReversed(), `waiting and running jobs, by pages, ${when}`)
          const { queues } = await bench.store.stats()
          const { delayed: counted = 0, waiting: left = 0, running = 0 } = queues['q'] ?? {}
          same([counted, left + running], [2, 1_200], `stats ${when}`)
          same((await bench.claim({ limit: 10 })).length, 10, `jobs claimed ${when}`)
        }
      },
    ),
    storeCase('ROW-R16', 'tags are found whole, whatever is in them', async bench => {
      const tags = ['a', 'b', ',', 'a"b', '","', '[', ']', '%', '\\', '😀', '\u2028', '\n', 'ab']
      for (const tag of tags) await bench.insert({ tags: [tag, 'all'] })
      for (const tag of tags) {
        const { jobs } = await bench.store.list({ tag, limit: 99 })
        same(
          jobs.map(job => job.tags[0]),
          [tag],
          `first tags of the jobs with ${JSON.stringify(tag)}`,
        )
      }
      same((await bench.store.list({ tag: 'all', limit: 99 })).jobs.length, tags.length, 'jobs with a tag of all')
      same((await bench.store.list({ tag: 'al', limit: 99 })).jobs, [], 'jobs with the beginning of a tag')
    }),
    storeCase('ROW-R5 JOB-1', 'jobs are removed unless they run, with all that belongs to them', async bench => {
      const [running = '', done = '', waiting = '', delayed = ''] = await bench.insert({}, {}, {}, { delayMs: 100 })
      const [held, finished] = await bench.claim({ limit: 2 })
      claim(held !== undefined && finished !== undefined, 'two jobs were expected')
      await bench.store.report([{ seq: finished.seq, token: finished.token, logs: [line(1)] }])
      await bench.settle(finished, { to: 'completed' })
      const ids = [running, done, waiting, delayed, 'of nobody', done]
      const answers = ['running', 'removed', 'removed', 'removed', 'missing', 'missing']
      same(await bench.store.remove(ids), answers, 'answers')
      same(await bench.states(ids), ['running', undefined, undefined, undefined, undefined, undefined], 'states')
      same(await bench.store.logs(done), [], 'logs of a job that is removed')
      same(await bench.claimed(), { jobs: [], paused: false }, 'what there is to claim')
      same((await bench.store.stats()).processed, 1, 'jobs that were ever completed')
      claim(await bench.settle(held, { to: 'completed' }), 'the holder of another job was refused')
      same((await bench.insertAll([{ id: waiting }]))[0]?.outcome, 'inserted', 'insert of a job that is removed')
    }),
    storeCase('ROW-S3', 'jobs that do not run are given another time', async bench => {
      const [waiting = '', delayed = '', running = '', done = ''] = await bench.insert(
        {},
        { delayMs: 500 },
        { priority: -1 },
        { priority: -2 },
      )
      const { enqueuedAt: now } = await bench.find(waiting)
      const [finished] = await bench.claim({ limit: 2 })
      if (finished !== undefined) await bench.settle(finished, { to: 'completed' })
      const ids = [waiting, delayed, running, done, 'of nobody']
      const answers = ['rescheduled', 'rescheduled', 'running', 'finished', 'missing']
      await bench.advance(10)
      same(await bench.store.reschedule(ids, 200), answers, 'answers')
      await bench.has(waiting, { state: 'delayed', runAt: now + 210 }, 'when it is put off')
      await bench.has(delayed, { state: 'delayed', runAt: now + 210 }, 'when it is brought forward')
      same(await bench.claimed(), { jobs: [], paused: false, nextInMs: 200 }, 'a claim before')
      same(await bench.store.reschedule([delayed], 0), ['rescheduled'], 'answer to run now')
      await bench.has(delayed, { state: 'waiting', runAt: now + 10 }, 'when it is to run now')
      same((await bench.claimOne()).id, delayed, 'what is claimed')
      await bench.advance(200)
      same((await bench.claimOne()).id, waiting, 'what is claimed when the other is due')
    }),
    storeCase(
      'ROW-G22',
      'what failed, was discarded or cancelled is retried by hand, as if it were new, with its history',
      async bench => {
        const [failed = '', discarded = '', cancelled = '', completed = '', waiting = ''] = await bench.insert(
          {},
          {},
          {},
          {},
          { priority: 1 },
        )
        const jobs = await bench.claim({ limit: 4 })
        const endings = [
          { to: 'failed', failure },
          { to: 'discarded', failure },
          { to: 'cancelled', reason: 'no' },
          { to: 'completed', result: '1' },
        ] as const
        for (const [n, ending] of endings.entries()) {
          const job = jobs[n]
          claim(job !== undefined, 'four jobs were expected')
          await bench.store.report([{ seq: job.seq, token: job.token, progress: `${n}`, logs: [line(n)] }])
          await bench.settle(job, ending)
        }
        await bench.advance(70)
        const ids = [failed, discarded, cancelled, completed, waiting, 'of nobody', failed]
        const answers = ['retried', 'retried', 'retried', 'completed', 'active', 'missing', 'active']
        same(await bench.store.retry(ids), answers, 'answers')
        for (const [n, id] of [failed, discarded, cancelled].entries()) {
          const { claimedAt } = jobs[0] ?? { claimedAt: 0 }
          const fresh = { attempt: 0, crashes: 0, finishedAt: undefined, cancelReason: undefined, runAt: claimedAt + 70 }
          const job = await bench.has(id, { state: 'waiting', ...fresh, progress: `${n}` }, 'after the retry')
          same([job.history.length, await bench.store.logs(id)], [1, [line(n)]], 'records and logs that stay')
        }
        same(
          (await bench.claim()).map(({ id, attempt }) => [id, attempt]),
          [failed, discarded, cancelled, waiting].map(id => [id, 1]),
          'what is claimed then',
        )
        same((await bench.store.stats()).failed, 2, 'jobs that ever failed')
      },
    ),
    storeCase('ROW-R13 JOB-14', 'progress is replaced, log lines are added, and the newest 1,000 stay', async bench => {
      const [id = ''] = await bench.insert({})
      const held = await bench.claimOne()
      const { seq, token } = held
      same(await bench.store.logs(id), [], 'logs before')
      await bench.store.report([
        { seq, token, progress: '1', logs: [line(0), line(1)] },
        { seq, token, progress: '2' },
        { seq, token, logs: [{ level: 'error', message: '😀\u2028', at: 5 }] },
      ])
      await bench.has(id, { progress: '2' }, 'while it runs')
      same(await bench.store.logs(id), [line(0), line(1), { level: 'error', message: '😀\u2028', at: 5 }], 'logs')
      for (let part = 0; part < 6; part++) {
        await bench.store.report([{ seq, token, logs: Array.from({ length: 200 }, (_, n) => line(part * 200 + n)) }])
      }
      same(
        await bench.store.logs(id),
        Array.from({ length: 1_000 }, (_, n) => line(200 + n)),
        'logs after 1,200 more',
      )
      await bench.settle(held, { to: 'completed' })
      same(await bench.store.report([{ seq, token, progress: '3', logs: [line(9)] }]), [false], 'a report after the end')
      await bench.has(id, { progress: '2' }, 'in the end')
      same(await bench.store.logs('of nobody'), [], 'logs of a job that is not there')
    }),
  ]
}

function line(n: number): LogEntry {
  return { level: 'info', message: `line ${n}`, at: 1_000 + n }
}
