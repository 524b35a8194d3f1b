import { randomUUID } from 'node:crypto'
import { defaultRuntime, type Logger } from '@genstage/core'
import { kind, sqliteStore, startRunner } from '../../src/index.ts'
import type { NewJob, Store } from '../../src/store.ts'

/** How many of each. */
export interface BacklogSizes {
  readonly jobs: number
  readonly queues: number
  readonly dueAtOnce: number
  /** How many claims are measured each time. */
  readonly claims: number
}

/** What it costs. */
export interface BacklogFigures {
  /** 99 of 100 claims of ten jobs, with their completions, took at most so long: with 100 jobs in the store, with all of them. */
  readonly emptyP99Ms: number
  readonly fullP99Ms: number
  /** The same while a great many jobs became due at one moment. */
  readonly dueP99Ms: number
  /** Jobs of the queue that was served most, and least, when half of all was done. */
  readonly mostServed: number
  readonly leastServed: number
  readonly heapMb: number
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const runner = { id: 'the one', host: 'here', pid: process.pid, queues: [] }
const perInsert = 10_000
const perClaim = 10
const jobsPerQueue = 20

/** Fills a store, and measures claims before and after (F39). */
export async function measureBacklog(path: string, sizes: BacklogSizes): Promise<BacklogFigures> {
  const store = sqliteStore(path)
  await store.open({ clock: defaultRuntime.clock, logger: quiet })
  await store.register(runner, 3_600_000)
  let heapMb = 0
  const look = (): void => void (heapMb = Math.max(heapMb, process.memoryUsage().heapUsed / 2 ** 20))

  const emptyP99Ms = await claimsOf(store, 'few', sizes.claims, 100)
  await fill(store, 'many', sizes.jobs, 0, look)
  const fullP99Ms = await claimsOf(store, 'many', sizes.claims, 0)
  const delayMs = 2_000
  await fill(store, 'due', sizes.dueAtOnce, delayMs, look)
  await new Promise(resolve => setTimeout(resolve, delayMs))
  const dueP99Ms = await claimsOf(store, 'due', sizes.claims, 0)
  look()
  await store.close()
  const served = await serveQueues(path, sizes.queues)
  look()
  return { emptyP99Ms, fullP99Ms, dueP99Ms, ...served, heapMb }
}

function newJob(queue: string, delayMs: number): NewJob {
  return { id: randomUUID(), queue, kind: 'work', version: 1, args: '{}', priority: 0, delayMs, maxAttempts: 3 }
}

async function fill(store: Store, queue: string, count: number, delayMs: number, look: () => void): Promise<void> {
  const due = Date.now() + delayMs
  for (let done = 0; done < count; done += perInsert) {
    const jobs = Array.from({ length: Math.min(perInsert, count - done) }, () => ({
      ...newJob(queue, 0),
      ...(delayMs > 0 && { runAt: due }),
    }))
    await store.insert(jobs)
    look()
  }
}

/** Claims and completes; keeps so many jobs there. */
async function claimsOf(store: Store, queue: string, claims: number, refill: number): Promise<number> {
  const request = { runner: runner.id, queue, limit: perClaim, kinds: ['work'] }
  if (refill > 0) await store.insert(Array.from({ length: refill }, () => newJob(queue, 0)))
  let { jobs } = await store.claim(request)
  const times: number[] = []
  for (let claim = 0; claim < claims && jobs.length > 0; claim++) {
    const begun = performance.now()
    const settled = await store.settle(
      jobs.map(({ seq, token }) => ({ seq, token, ranMs: 1, to: 'completed' })),
      request,
    )
    times.push(performance.now() - begun)
    if (refill > 0) await store.insert(jobs.map(() => newJob(queue, 0)))
    jobs = settled.claimed?.jobs ?? []
  }
  times.sort((a, b) => a - b)
  return times[Math.ceil(times.length * 0.99) - 1] ?? Infinity
}

/** One runner on a great many queues. */
async function serveQueues(path: string, count: number): Promise<Pick<BacklogFigures, 'mostServed' | 'leastServed'>> {
  const names = Array.from({ length: count }, (_, index) => `queue-${index}`)
  const served = new Map<string, number>(names.map(name => [name, 0]))
  let total = 0
  let picture: { readonly mostServed: number; readonly leastServed: number } | undefined
  const work = kind('work', (_: unknown, { queue }) => {
    served.set(queue, (served.get(queue) ?? 0) + 1)
    if (++total === Math.floor((count * jobsPerQueue) / 2)) {
      const counts = [...served.values()]
      picture = { mostServed: Math.max(...counts), leastServed: Math.min(...counts) }
    }
  })
  const store = sqliteStore(path)
  const worker = startRunner({
    store,
    kinds: [work],
    queues: Object.fromEntries(names.map(name => [name, { concurrency: 1, maxPrefetch: 1 }])),
    logger: quiet,
    signals: false,
  })
  await worker.ready
  await store.insert(names.flatMap(name => Array.from({ length: jobsPerQueue }, () => newJob(name, 0))))
  while (total < count * jobsPerQueue) await new Promise(resolve => setTimeout(resolve, 20))
  await worker.stop()
  return picture ?? { mostServed: 0, leastServed: 0 }
}
