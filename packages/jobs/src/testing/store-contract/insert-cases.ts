import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { codeOf, same } from './same.ts'
import type { OpenStore } from './store-under-test.ts'

/** What is stored, and when it is not. */
export function insertCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('JOB-1 ROW-R2 ROW-G1', 'a stored job is there with all it was stored with', async bench => {
      const [id = ''] = await bench.insert({
        queue: 'mail',
        kind: 'welcome',
        version: 3,
        args: '{"to":"a"}',
        priority: -5,
        maxAttempts: 7,
        timeoutMs: 1_500,
        tags: ['red', 'blue'],
        unique: { key: 'once', until: 'finished', conflict: 'keep' },
      })
      const job = await bench.find(id)
      same(
        { ...job, seq: 0, enqueuedAt: 0, runAt: 0 },
        {
          id,
          seq: 0,
          queue: 'mail',
          kind: 'welcome',
          version: 3,
          args: '{"to":"a"}',
          state: 'waiting',
          priority: -5,
          attempt: 0,
          maxAttempts: 7,
          crashes: 0,
          timeoutMs: 1_500,
          tags: ['red', 'blue'],
          uniqueKey: 'once',
          enqueuedAt: 0,
          runAt: 0,
          startedAt: undefined,
          finishedAt: undefined,
          runner: undefined,
          result: undefined,
          progress: undefined,
          failure: undefined,
          cancelReason: undefined,
          history: [],
        },
        'the stored job',
      )
      same(job.runAt, job.enqueuedAt, 'run-at of a job that may run at once')
      const [bare = ''] = await bench.insert({ queue: 'mail' })
      await bench.has(bare, { timeoutMs: undefined, tags: [], uniqueKey: undefined }, 'without options')
    }),
    storeCase('JOB-1', 'an empty insert stores nothing', async bench => {
      same(await bench.store.insert([]), [], 'answer')
      same(await bench.all(), [], 'jobs')
    }),
    storeCase(
      'F6 JOB-1',
      'the same job again, as after a lost reply, is a duplicate, whatever has become of the first',
      async bench => {
        const job = bench.newJob({ args: '{"n":1}' })
        same(await bench.store.insert([job]), [{ id: job.id, outcome: 'inserted' }], 'first')
        same(await bench.store.insert([job, job]), [job, job].map(duplicate), 'again, twice')
        await bench.settle(await bench.claimOne(), { to: 'completed' })
        same(await bench.store.insert([job]), [duplicate(job)], 'after its end')
        same((await bench.all()).length, 1, 'jobs')
        same(await bench.claim(), [], 'what there is to claim')
      },
    ),
    storeCase('F6', 'the same job twice in one insert is stored once', async bench => {
      const job = bench.newJob()
      const answer = await bench.store.insert([job, job])
      same(answer, [{ id: job.id, outcome: 'inserted' }, duplicate(job)], 'answer')
      same((await bench.claim()).length, 1, 'jobs to claim')
    }),
    storeCase(
      'BAD-102 BAD-100',
      'an id that is there with another queue, kind, version or args refuses the whole insert',
      async bench => {
        const [id = ''] = await bench.insert({ args: '1' })
        const before = await bench.find(id)
        for (const other of [{ args: '2' }, { queue: 'other' }, { kind: 'other' }, { version: 2 }]) {
          const first = bench.newJob({ queue: 'new', unique: { key: 'mine', until: 'finished', conflict: 'keep' } })
          const call = bench.store.insert([first, bench.newJob({ id, args: '1', ...other }), bench.newJob()])
          same(await codeOf(call), 'ID_CONFLICT', `code for ${JSON.stringify(other)}`)
        }
        same((await bench.all()).length, 1, 'jobs after the refusals')
        same(await bench.find(id), before, 'the job that was there')
        same(Object.keys((await bench.store.stats()).queues), ['q'], 'queues after the refusals')
        const [again] = await bench.insertAll([{ unique: { key: 'mine', until: 'finished', conflict: 'keep' } }])
        same(again?.outcome, 'inserted', 'the key of a job whose insert was refused')
      },
    ),
    storeCase('BAD-102', 'a refused insert takes back what it had replaced', async bench => {
      const unique = { key: 'one', until: 'finished', conflict: 'replace' } as const
      const [holder = '', other = ''] = await bench.insert({ args: '1', unique }, { args: '2' })
      await bench.advance(5)
      const before = await bench.find(holder)
      const replacing = bench.newJob({ args: '3', priority: 9, delayMs: 50, maxAttempts: 8, version: 2, unique })
      same(await codeOf(bench.store.insert([replacing, bench.newJob({ id: other, args: '4' })])), 'ID_CONFLICT', 'code')
      same(await bench.find(holder), before, 'the holder')
      same(
        (await bench.claim()).map(({ id }) => id),
        [holder, other],
        'the order of claims',
      )
    }),
    storeCase('BAD-102', 'a refused insert leaves no trace for those that come at the same time', async bench => {
      const job = bench.newJob({ args: '1' })
      const [good, bad, last] = await Promise.allSettled([
        bench.store.insert([job]),
        bench.store.insert([bench.newJob(), bench.newJob({ id: job.id, args: '2' })]),
        bench.store.insert([bench.newJob(), job]),
      ])
      same([good.status, bad.status, last.status], ['fulfilled', 'rejected', 'fulfilled'], 'what became of three inserts')
      same((await bench.all()).length, 2, 'jobs')
    }),
    storeCase('JOB-1 BAD-100', 'thousands of jobs in one insert are stored in their order', async bench => {
      const jobs = Array.from({ length: 2_500 }, (_, n) => bench.newJob({ args: `${n}` }))
      const inserted = await bench.store.insert(jobs)
      same(inserted.length, jobs.length, 'answers')
      const claimed = [...(await bench.claim({ limit: 2_000 })), ...(await bench.claim({ limit: 2_000 }))]
      claim(
        claimed.length === jobs.length && claimed.every(({ args }, n) => args === `${n}`),
        'the jobs did not come in the order of the insert',
      )
    }),
    storeCase('JOB-17', 'texts come back as they were stored, to the last byte', async bench => {
      const texts = ['""', '"😀 \\u0000 \u2028 \u2029 é é 𝟘"', '{"__proto__":{"x":1},"constructor":null}', ' [ 1 , 2.50 ] ']
      const long = JSON.stringify('ü😀'.repeat(262_144 / 6)).padEnd(262_144, ' ')
      for (const text of [...texts, long, JSON.stringify("'; drop table jobs; --")]) {
        const [id = ''] = await bench.insert({ args: text, tags: ['ü😀', "it's"] })
        const job = await bench.claimOne()
        claim(job.args === text, () => `args: got ${job.args.slice(0, 99)} for ${text.slice(0, 99)}`)
        await bench.store.report([{ seq: job.seq, token: job.token, progress: text }])
        await bench.settle(job, { to: 'completed', result: text })
        const stored = await bench.find(id)
        claim(stored.result === text && stored.progress === text && stored.args === text, `a text of ${text.length} has changed`)
        same(stored.tags, ['ü😀', "it's"], 'tags')
      }
    }),
    storeCase('JOB-17 BAD-98', 'names, keys and tags are taken as they are, never as something else', async bench => {
      const odd = ['a%b', 'a_b', "a'b", 'A', 'a', 'ä', 'hasOwnProperty', '1', 'a\u2028b']
      for (const name of odd) {
        await bench.insert({ queue: name, kind: name, tags: [name], unique: { key: name, until: 'finished', conflict: 'keep' } })
      }
      same(Object.keys((await bench.store.stats()).queues).toSorted(), odd.toSorted(), 'queues')
      for (const name of odd) {
        same((await bench.store.list({ tag: name, limit: 9 })).jobs.length, 1, `jobs with the tag ${name}`)
        same((await bench.claim({ queue: name, kinds: [name] })).length, 1, `jobs in the queue ${name}`)
      }
    }),
  ]
}

function duplicate({ id }: { readonly id: string }): { readonly id: string; readonly outcome: 'duplicate' } {
  return { id, outcome: 'duplicate' }
}
