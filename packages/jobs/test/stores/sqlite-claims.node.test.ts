import { describe, expect, it } from 'vitest'
import type { ClaimedJob, Settlement, Store } from '../../src/store.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { drivers, newJob, openStore } from './sqlite-files.ts'

const runner = { id: 'r', host: 'h', pid: 1, queues: [] }

async function claim(store: Store, limit: number): Promise<readonly ClaimedJob[]> {
  return (await store.claim({ runner: 'r', queue: 'q', limit, kinds: ['k'] })).jobs
}

function completed({ seq, token }: ClaimedJob, result?: string): Settlement {
  return { seq, token, ranMs: 1, to: 'completed', result }
}

describe.each(drivers)('the claims that a store remembers, on %s', driver => {
  it('JOB-4 are not believed: what another handle has ended is refused, the rest of the turn is done once', async () => {
    const { store, clock, path } = await openStore({ driver })
    const { store: other } = await openStore({ driver, path }, clock)
    await store.register(runner, 30_000)
    await store.insert([newJob(), newJob(), newJob(), newJob()])
    const [first, second, third] = await claim(store, 3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three jobs were expected')
    expect((await other.settle([completed(second, '"theirs"')])).accepted).toEqual([true])
    const hints: string[] = []
    store.listen(hint => void hints.push(hint.type))
    const [inserted, settled, next] = await Promise.all([
      store.insert([newJob()]),
      store.settle([completed(first, '1'), completed(second, '2'), completed(third)]),
      claim(store, 5),
    ])
    expect(inserted).toMatchObject([{ outcome: 'inserted' }])
    expect(settled.accepted).toEqual([true, false, true])
    expect(next).toHaveLength(2)
    expect(hints).toEqual(['waiting', 'finished', 'finished'])
    const found = await store.find([first.id, second.id, third.id])
    expect(found.map(job => [job?.state, job?.result])).toEqual([
      ['completed', '1'],
      ['completed', '"theirs"'],
      ['completed', undefined],
    ])
    expect((await store.stats()).queues['q']).toMatchObject({ running: 2, completed: 3, waiting: 0 })
  })

  it('JOB-4 are used once: the second settlement of a turn is refused', async () => {
    const { store } = await openStore({ driver })
    await store.register(runner, 30_000)
    await store.insert([newJob(), newJob()])
    const jobs = await claim(store, 2)
    const ends = jobs.map(job => completed(job))
    const answers = await Promise.all([store.settle(ends), store.settle(ends), store.settle([...ends, ...ends])])
    expect(answers.map(({ accepted }) => accepted)).toEqual([
      [true, true],
      [false, false],
      [false, false, false, false],
    ])
    expect((await store.stats()).processed).toBe(2)
  })

  it('are those of the transaction that was written, not of one that was undone', async () => {
    const { store } = await openStore({ driver })
    await store.register(runner, 30_000)
    const taken = newJob()
    await store.insert([taken])
    const [jobs, refused] = await Promise.all([
      claim(store, 1),
      store.insert([{ ...taken, args: '"other"' }]).catch((error: unknown) => error),
    ])
    expect(refused).toMatchObject({ code: 'ID_CONFLICT' })
    expect((await store.settle(jobs.map(job => completed(job)))).accepted).toEqual([true])
  })

  it('free the unique keys of what is completed', async () => {
    const { store } = await openStore({ driver })
    await store.register(runner, 30_000)
    const unique = { key: 'key', until: 'finished', conflict: 'keep' } as const
    await store.insert([newJob({ unique })])
    const jobs = await claim(store, 1)
    expect(await store.insert([newJob({ unique })])).toMatchObject([{ outcome: 'duplicate' }])
    await store.settle(jobs.map(job => completed(job)))
    expect(await store.insert([newJob({ unique })])).toMatchObject([{ outcome: 'inserted' }])
  })
})

describe('the row of a job', () => {
  /** How many bytes SQLite keeps an integer in. */
  const bytesOf = (value: number): number => {
    if (value === 0 || value === 1) return 0
    return [1, 2, 3, 4, 6, 8].find(bytes => value < 2 ** (bytes * 8 - 1)) ?? 9
  }

  it('is as long after a claim and a completion as before: it stays where it is', async () => {
    const { store, clock, path } = await openStore()
    const row = (): (number | null)[] => {
      const connection = chooseDriver('auto').open(path)
      const values = connection.prepare('SELECT * FROM jobs').get([]) ?? []
      connection.close()
      return values.map(value => (value === null ? null : bytesOf(Number(value))))
    }
    await store.register(runner, 30_000)
    await store.insert([newJob()])
    const inserted = row()
    clock.advance(5)
    const jobs = await claim(store, 1)
    expect(row()).toEqual(inserted)
    clock.advance(5)
    await store.settle(jobs.map(job => completed(job)))
    expect(row()).toEqual(inserted)
  })

  it('tells who held the job, when the runner is long gone and others have come', async () => {
    const { store } = await openStore()
    await store.register(runner, 30_000)
    await store.insert([newJob(), newJob()])
    const jobs = await claim(store, 1)
    await store.settle(jobs.map(job => completed(job)))
    await store.unregister('r')
    await store.register({ ...runner, id: 'another' }, 30_000)
    const { jobs: all } = await store.list({ limit: 2 })
    expect(all.map(job => [job.runner, job.startedAt === undefined, job.finishedAt === undefined])).toEqual([
      [undefined, true, true],
      ['r', false, false],
    ])
  })
})
