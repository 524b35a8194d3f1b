import { claim, type ContractCase } from '@genstage/testing'
import { casesOf } from './cases-of.ts'
import { holder, isDuplicateOf, isInserted, unique } from './keys.ts'
import { codeOf, same } from './same.ts'
import { failure, leaseMs } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** At most one job per key, until it has finished or started. */
export function uniqueCases(open: OpenStore): readonly ContractCase[] {
  const storeCase = casesOf(open)
  return [
    storeCase('JOB-10', 'a key is held until its job has finished, whatever comes between', async bench => {
      const key = unique('finished', 'keep')
      const id = await holder(bench, key)
      await bench.settle(await bench.claimOne(), { to: 'retry', inMs: 10, failure })
      await isDuplicateOf(bench, id, key, 'while it is delayed')
      await bench.advance(10)
      const job = await bench.claimOne()
      await isDuplicateOf(bench, id, key, 'while it runs')
      await bench.settle(job, { to: 'release' })
      await isDuplicateOf(bench, id, key, 'while it waits again')
      await bench.settle(await bench.claimOne(), { to: 'completed' })
      await isInserted(bench, key, 'after its end')
    }),
    ...(['completed', 'failed', 'discarded', 'cancelled'] as const).map(to =>
      storeCase('JOB-10', `a key is free when its job has ${to === 'cancelled' ? 'been ' : ''}${to}`, async bench => {
        for (const until of ['finished', 'started'] as const) {
          await holder(bench, unique(until, 'keep'))
          await bench.settle(await bench.claimOne(), to === 'cancelled' ? { to, reason: 'no' } : { to, failure })
          await isInserted(bench, unique(until, 'keep'), until)
          await bench.store.clearQueue('q')
        }
      }),
    ),
    storeCase('JOB-10', 'a key is free when its job was removed, cleared or cancelled before it began', async bench => {
      for (const until of ['finished', 'started'] as const) {
        const ends = [
          (id: string) => bench.store.remove([id]),
          () => bench.store.clearQueue('q'),
          (id: string) => bench.store.cancel([id], 'no'),
        ]
        for (const end of ends) {
          await end(await holder(bench, unique(until, 'keep')))
          await end(await isInserted(bench, unique(until, 'keep'), `until ${until}`))
        }
      }
    }),
    storeCase('JOB-10 JOB-7', 'a key is free when its job fails by the crashes of its runners', async bench => {
      const key = unique('finished', 'keep')
      const id = await holder(bench, key)
      for (let crash = 1; crash <= 3; crash++) {
        await isDuplicateOf(bench, id, key, `before crash ${crash}`)
        await bench.store.begin([await bench.claimOne({ runner: 'mortal' })])
        await bench.die('runner-1')
      }
      await bench.has(id, { state: 'failed' }, 'after three crashes')
      await isInserted(bench, key, 'after it has failed')
    }),
    storeCase('JOB-10', 'a key held until the start is free from the claim on, for good', async bench => {
      const key = unique('started', 'keep')
      const id = await holder(bench, key)
      await isDuplicateOf(bench, id, key, 'while it waits')
      const job = await bench.claimOne()
      await bench.settle(job, { to: 'release' })
      const next = await isInserted(bench, key, 'after it had been claimed')
      await isDuplicateOf(bench, next, key, 'of the next holder')
    }),
    storeCase('JOB-10', 'jobs of one insert can be duplicates of one another', async bench => {
      const job = { unique: unique('finished', 'keep') }
      const answers = await bench.insertAll([job, job, {}, job])
      const [first] = answers
      same(
        answers.map(({ outcome }) => outcome),
        ['inserted', 'duplicate', 'inserted', 'duplicate'],
        'outcomes',
      )
      claim(
        [answers[1]?.id, answers[3]?.id].every(id => id === first?.id),
        'a duplicate names another job than the holder',
      )
    }),
    storeCase('JOB-10 F36', 'of 50 inserts at the same time through two handles one is stored, and all name it', async bench => {
      const second = await bench.reopen()
      for (let round = 0; round < 4; round++) {
        const key = unique('finished', 'keep', `round ${round}`)
        const inserts = Array.from({ length: 50 }, (_, n) => {
          const store = n % 2 === 0 ? bench.store : second
          return store.insert([bench.newJob({ unique: key })])
        })
        const answers = (await Promise.all(inserts)).flat()
        same(answers.filter(({ outcome }) => outcome === 'inserted').length, 1, 'jobs stored')
        same(new Set(answers.map(({ id }) => id)).size, 1, 'ids answered')
      }
      same((await bench.all()).length, 4, 'jobs')
    }),
    storeCase('JOB-10 F36', 'the key of a job whose insert was refused goes to another', async bench => {
      const [taken = ''] = await bench.insert({ args: '1' })
      const key = unique('finished', 'keep')
      const [refused, stored] = await Promise.all([
        codeOf(bench.store.insert([bench.newJob({ unique: key }), bench.newJob({ id: taken, args: '2' })])),
        bench.insertAll([{ unique: key }]),
      ])
      same([refused, stored[0]?.outcome], ['ID_CONFLICT', 'inserted'], 'code and outcome')
    }),
    storeCase('JOB-10', 'replace makes a holder that does not run the new one, in all but its id and its past', async bench => {
      const key = unique('finished', 'replace')
      const id = await holder(bench, key)
      const before = await bench.find(id)
      await bench.advance(7)
      const now = before.enqueuedAt + 7
      const changes = { version: 2, args: '"new"', priority: -1, maxAttempts: 9, timeoutMs: 1, tags: ['new'] }
      const [answer] = await bench.insertAll([{ ...changes, delayMs: 100, unique: key }])
      same(answer, { id, outcome: 'replaced' }, 'answer')
      same(await bench.find(id), { ...before, ...changes, state: 'delayed', runAt: now + 100 }, 'the holder')
      same((await bench.claimed()).nextInMs, 100, 'nextInMs')
      await bench.insertAll([{ unique: key, args: '"newer"' }])
      const job = await bench.claimOne()
      same([job.id, job.args, job.runAt], [id, '"newer"', now], 'what is claimed')
      const [late] = await bench.insertAll([{ unique: key, args: '"late"' }])
      same(late, { id, outcome: 'duplicate' }, 'answer while it runs')
      await bench.has(id, { args: '"newer"' }, 'while it runs')
    }),
    storeCase('JOB-10', 'replace never gives a job the args of another kind, nor takes it from its queue', async bench => {
      const key = unique('finished', 'replace')
      const id = await holder(bench, key)
      const args = '"new"'
      const ofOtherKind = await bench.insertAll([{ kind: 'other', args, unique: key }])
      same(ofOtherKind, [{ id, outcome: 'duplicate' }], 'answer to one of another kind')
      const ofOtherQueue = await bench.insertAll([{ queue: 'other', args, unique: key }])
      same(ofOtherQueue, [{ id, outcome: 'duplicate', queue: 'q' }], 'answer to one for another queue')
      await bench.has(id, { args: '{}', kind: 'k', queue: 'q' }, 'afterwards')
    }),
    storeCase('JOB-10', 'a job that is retried by hand does not take back the key that another has', async bench => {
      const key = unique('finished', 'keep')
      const failed = await holder(bench, key)
      await bench.settle(await bench.claimOne(), { to: 'failed', failure })
      const live = await isInserted(bench, key, 'after the failure')
      same(await bench.store.retry([failed]), ['retried'], 'answer')
      await isDuplicateOf(bench, live, key, 'after the retry')
      await bench.store.remove([failed])
      await isDuplicateOf(bench, live, key, 'after the other is removed')
    }),
    storeCase('JOB-10', 'ends of runners leave keys with those who hold them', async bench => {
      const key = unique('finished', 'keep')
      const id = await holder(bench, key)
      await bench.claimOne({ runner: 'runner-2' })
      await bench.store.unregister('runner-2')
      await isDuplicateOf(bench, id, key, 'after its runner left')
      await bench.claimOne({ runner: 'runner-3' })
      await bench.advance(leaseMs * 2)
      await isDuplicateOf(bench, id, key, 'after the lease of its runner')
    }),
  ]
}
