import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Store } from '../src/store.ts'
import { storeContract, storeModel, type OpenStore } from '../src/testing/store-contract.ts'
import { openMemory } from './stores/memory-under-test.ts'

/** What is wrong with a store: some of its calls, done in another way. */
type Fault = (store: Store) => Partial<Store>

interface Planted {
  readonly fault: Fault
  /** An id of a case that has to find it. */
  readonly foundBy: string
  /** Random sequences find it too, and the shortest one is found quickly. */
  readonly byModel?: true
}

const planted: Readonly<Record<string, Planted>> = {
  'a completion that is acknowledged and lost': {
    byModel: true,
    foundBy: 'ROW-G6',
    fault: store => ({
      settle: async (settlements, next) => {
        const answer = await store.settle(settlements.slice(1), next)
        return { ...answer, accepted: settlements.map(() => true) }
      },
    }),
  },
  'stale tokens that are taken': {
    byModel: true,
    foundBy: 'F9',
    fault: store => ({
      settle: async (settlements, next) => {
        const answer = await store.settle(settlements, next)
        return { ...answer, accepted: settlements.map(() => true) }
      },
    }),
  },
  'a settlement that a cancellation has overruled, and nobody is told': {
    foundBy: 'JOB-5',
    fault: store => ({
      settle: async (settlements, next) => ({ ...(await store.settle(settlements, next)), overruled: undefined }),
    }),
  },
  'a claim that gives the jobs of the claim before once more': {
    foundBy: 'JOB-4',
    fault: store => {
      let last: Awaited<ReturnType<Store['claim']>> | undefined
      return {
        claim: async request => {
          const claimed = last !== undefined && last.jobs.length > 0 ? last : await store.claim(request)
          last = last === undefined ? claimed : undefined
          return claimed
        },
      }
    },
  },
  'a claim that takes no notice of its limit': {
    foundBy: 'ROW-G5',
    fault: store => ({ claim: request => store.claim({ ...request, limit: request.limit + 1 }) }),
  },
  'jobs of all kinds for everybody': {
    foundBy: 'JOB-19',
    fault: store => ({ claim: request => store.claim({ ...request, kinds: ['k', 'l', 'm', 'a', 'b', 'foreign'] }) }),
  },
  'a claim that forgets when the next job is due': {
    byModel: true,
    foundBy: 'JOB-3',
    fault: store => ({ claim: async request => ({ ...(await store.claim(request)), nextInMs: undefined }) }),
  },
  'a heartbeat that lies': {
    foundBy: 'F8',
    fault: store => ({ heartbeat: async (...args) => ({ ...(await store.heartbeat(...args)), alive: true }) }),
  },
  'a heartbeat that does not renew the lease': {
    foundBy: 'F10',
    fault: () => ({ heartbeat: async () => ({ alive: true, cancellations: [] }) }),
  },
  'a rescue that counts no crash': {
    foundBy: 'F15',
    fault: store => ({ rescue: async request => store.rescue({ ...request, crashLimit: 1e9 }) }),
  },
  'a rescue that says that there is no more': {
    foundBy: 'F44',
    fault: store => ({ rescue: async request => ({ ...(await store.rescue(request)), more: false }) }),
  },
  'begin without effect': { foundBy: 'F15', fault: () => ({ begin: async held => held.map(() => true) }) },
  'cancellations that are not told': { foundBy: 'ROW-G18', fault: () => ({ cancellations: async () => [] }) },
  'keys that nobody holds': {
    byModel: true,
    foundBy: 'JOB-10',
    fault: store => ({ insert: jobs => store.insert(jobs.map(job => ({ ...job, unique: undefined }))) }),
  },
  'an insert that stores what comes before a conflict': {
    foundBy: 'BAD-102',
    fault: store => ({
      insert: async jobs => {
        const answers = []
        for (const job of jobs) answers.push(...(await store.insert([job])))
        return answers
      },
    }),
  },
  'texts that are parsed and written again': {
    foundBy: 'JOB-17',
    fault: store => ({ insert: jobs => store.insert(jobs.map(job => ({ ...job, args: JSON.stringify(JSON.parse(job.args)) }))) }),
  },
  'stats that are a little too high': {
    byModel: true,
    foundBy: 'ROW-R6',
    fault: store => ({
      stats: async () => {
        const stats = await store.stats()
        return { ...stats, processed: stats.processed + 1 }
      },
    }),
  },
  'a list that begins with the oldest': {
    foundBy: 'ROW-R16',
    fault: store => ({
      list: async query => {
        const page = await store.list(query)
        return { ...page, jobs: page.jobs.toReversed() }
      },
    }),
  },
  'a removal that takes running jobs as well': {
    foundBy: 'ROW-R5',
    fault: store => ({
      remove: async ids => (await store.remove(ids)).map(answer => (answer === 'running' ? 'removed' : answer)),
    }),
  },
  'pruning beyond the limit': {
    foundBy: 'JOB-14',
    fault: store => ({ prune: request => store.prune({ ...request, limit: request.limit + 1 }) }),
  },
  'a pause that does nothing': { byModel: true, foundBy: 'ROW-G17', fault: () => ({ pauseQueue: async () => {} }) },
  'hints that never come': { foundBy: 'JOB-16', fault: () => ({ listen: () => () => {} }) },
  'two leaders': { foundBy: 'F7', fault: () => ({ lead: async () => true }) },
}

function openWith(fault: Fault): OpenStore {
  return async () => {
    const under = await openMemory()
    return { ...under, store: faulty(under.store, fault(under.store)) }
  }
}

/** The store, with some calls replaced. */
function faulty(store: Store, calls: Partial<Store>): Store {
  const inner: Store = {
    name: store.name,
    open: context => store.open(context),
    close: () => store.close(),
    insert: jobs => store.insert(jobs),
    claim: request => store.claim(request),
    settle: (settlements, next) => store.settle(settlements, next),
    begin: held => store.begin(held),
    report: reports => store.report(reports),
    register: (runner, leaseMs) => store.register(runner, leaseMs),
    heartbeat: (runner, leaseMs, figures) => store.heartbeat(runner, leaseMs, figures),
    unregister: runner => store.unregister(runner),
    rescue: request => store.rescue(request),
    holdings: runner => store.holdings(runner),
    cancellations: runner => store.cancellations(runner),
    find: ids => store.find(ids),
    list: query => store.list(query),
    logs: id => store.logs(id),
    remove: ids => store.remove(ids),
    cancel: (ids, reason) => store.cancel(ids, reason),
    reschedule: (ids, inMs) => store.reschedule(ids, inMs),
    retry: ids => store.retry(ids),
    stats: () => store.stats(),
    pauseQueue: queue => store.pauseQueue(queue),
    resumeQueue: queue => store.resumeQueue(queue),
    clearQueue: queue => store.clearQueue(queue),
    removeQueue: queue => store.removeQueue(queue),
    runners: () => store.runners(),
    lead: runner => store.lead(runner),
    prune: request => store.prune(request),
    listen: listener => store.listen(listener),
  }
  return { ...inner, ...calls }
}

describe('the suite of stores', () => {
  it('passes the store that all faults are planted in', async () => {
    const open = openWith(() => ({}))
    for (const { run } of [...storeContract(open), ...storeModel(open, fc, { runs: 20, seed: 1 })]) await run()
  })

  it.each(Object.entries(planted))('finds %s', async (_, { fault, foundBy }) => {
    const found: string[] = []
    for (const { ids, run } of storeContract(openWith(fault))) {
      try {
        await run()
      } catch {
        found.push(...ids)
      }
    }
    expect(found).toContain(foundBy)
  })

  const quick = Object.entries(planted).filter(([, { byModel }]) => byModel === true)
  it.each(quick)(
    'finds by random sequences %s, and tells the shortest and the seed',
    { timeout: 60_000 },
    async (_, { fault }) => {
      const [random] = storeModel(openWith(fault), fc, { runs: 400, seed: 20_000_101 })
      await expect(async () => random?.run()).rejects.toThrow(/after:\n[^]*seed: 20000101/)
    },
  )
})
