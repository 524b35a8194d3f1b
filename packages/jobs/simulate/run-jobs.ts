import { isSameState, isTerminal } from './known-jobs.ts'
import type { Ledger } from './ledger.ts'
import { type Action, type JobsPlan, kindNames, type RunnerPlan } from './plan.ts'
import { type SimulatedRunner, times } from './simulated-runner.ts'
import { type Spoilers, World } from './world.ts'

/** How a plan is run. */
export interface RunJobsOptions {
  readonly seed: number
  /** Bugs to plant. */
  readonly spoilers?: Spoilers
}

/** What came of a run. */
export interface RunJobsResult {
  /** What was wrong; empty is what it should be. */
  readonly violations: readonly string[]
  readonly counts: Ledger['counts']
}

/** How long everything may take to end, once nothing goes wrong any more. */
const calmMs = 180_000
const tickMs = 250

/** A runner that does everything, for the end: what is left is to be done by it. */
const finisher: RunnerPlan = {
  kinds: kindNames,
  queues: { red: 5, blue: 5 },
  prefetchMs: 50,
  hints: 'kept',
  noisy: false,
  prunes: false,
}

/**
 * Runs a plan in a world of its own: its actions first, with everything that goes wrong; then calm, in which every job must come to
 * its end; then everything stops. What was not as it must be is in `violations`, each with the id of its invariant.
 */
export async function runJobs(plan: JobsPlan, { seed, spoilers }: RunJobsOptions): Promise<RunJobsResult> {
  const world = new World(plan, seed, spoilers)
  try {
    for (const action of plan.actions) {
      await perform(action, world)
      if (world.ledger.violations.length > 0) break
    }
    if (world.ledger.violations.length === 0) await conclude(world)
  } catch (error) {
    world.ledger.violated('INV-17', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  // What a killed process had under way may have started stages since
  for (const { process } of world.runners) process.kill()
  await world.settle()
  return { violations: world.ledger.violations, counts: world.ledger.counts }
}

async function conclude(world: World): Promise<void> {
  world.faults = { before: 0, after: 0, latencyMs: 0 }
  for (const queue of ['red', 'blue']) void world.client.resumeQueue(queue)
  // Jobs keep to dates: one that jumped back is put right again, or they would wait for as long
  world.jumpStore(Math.max(0, world.witness.latest - world.storeTime))
  await calmDown(world)
  if (world.ledger.violations.length > 0) return
  await checkStored(world)
  await checkPolling(world)
  await stopAll(world)
}

// ── what happens

async function perform(action: Action, world: World): Promise<void> {
  const { client, runners, ids } = world
  const up = runners.filter(({ isUp }) => isUp)
  const chosen = 'runner' in action ? up[action.runner % Math.max(1, up.length)] : undefined
  const job = 'job' in action ? (ids[action.job % Math.max(1, ids.length)] ?? '') : ''
  const isJob = job !== ''
  switch (action.type) {
    case 'enqueue': {
      const by = action.by % (up.length + 1) === 0 ? undefined : up[(action.by % (up.length + 1)) - 1]
      for (const each of action.jobs) void world.enqueue(each, by?.runner, () => by?.process.isDead === true)
      return
    }
    case 'advance':
      return world.advance(action.ms)
    case 'steps':
      for (let step = 0; step < action.count && world.step(); step++) await Promise.resolve()
      return
    case 'start':
      world.start(world.plan.runners[action.runner % world.plan.runners.length] ?? finisher)
      return
    case 'kill':
      if (chosen !== undefined) world.kill(chosen)
      return
    case 'freeze':
      return chosen?.process.freeze(action.ms)
    case 'stop':
      return chosen?.stop(action.graceMs)
    case 'pauseHere':
      return chosen?.runner.queues.find(({ name }) => name === action.queue)?.pause()
    case 'resumeHere':
      return chosen?.runner.queues.find(({ name }) => name === action.queue)?.resume()
    case 'dropQueue':
      return chosen?.dropQueue(action.queue)
    case 'resize':
      return chosen?.resize(action.queue, action.concurrency)
    case 'addQueue':
      return chosen?.addQueue(action.queue, action.concurrency)
    case 'cancel':
      if (isJob) void client.cancel(job, 'as planned')
      return
    case 'remove':
      if (isJob) void client.remove(job)
      return
    case 'retry':
      if (isJob) void client.retry(job)
      return
    case 'reschedule':
      if (isJob) void client.reschedule(job, { delayMs: action.inMs })
      return
    case 'pauseQueue':
    case 'resumeQueue':
    case 'clearQueue':
      return void client[action.type](action.queue)
    case 'jump':
      if (action.where === 'store') world.jumpStore(action.ms)
      else chosen?.process.jump(action.ms)
  }
}

// ── what must hold in the end

/**
 * JOB-1, JOB-8: with a runner that does everything, and a store that works, every job comes to its end; what dead runners held is back
 * within lease, sweep and a second.
 */
async function calmDown(world: World): Promise<void> {
  const { ledger, witness, clock } = world
  const until = clock.now() + calmMs
  let last: SimulatedRunner | undefined
  let calmSince = clock.now()
  do {
    if (last?.isUp !== true) {
      last = world.start(finisher)
      calmSince = clock.now()
    }
    await world.advance(tickMs)
    for (const { process, ids, name } of world.runners) {
      const deadFor = clock.now() - Math.max(process.diedAt, calmSince)
      if (!process.isDead || deadFor <= times.leaseMs + times.sweepMs + 1_000) continue
      const held = [...ids].flatMap(id => witness.known.heldBy(id))
      for (const job of held) ledger.violated('JOB-8', `job ${job.id} is held by ${name}, which has been dead for ${deadFor} ms`)
    }
    if (ledger.violations.length > 0) return
  } while (clock.now() < until && !isAtRest(world))
  if (isAtRest(world)) return
  const left = witness.known.all().filter(({ state }) => !isTerminal(state) && state !== 'removed')
  const texts = left.map(({ id, state, holder }) => `${id} is ${state}${holder === undefined ? '' : ` by ${holder.runner}`}`)
  ledger.violated('JOB-1', `after ${calmMs} ms of calm there are jobs that never end: ${texts.join(', ')}`)
}

function isAtRest({ witness, runners }: World): boolean {
  const isOver = witness.known.all().every(({ state }) => isTerminal(state) || state === 'removed')
  const isSettled = ({ stopping, process }: SimulatedRunner): boolean =>
    process.isDead || (!process.isFrozen && (stopping === undefined || stopping.isOver))
  return isOver && runners.every(isSettled)
}

/** JOB-1: what was acknowledged is there, in one state, and nothing else is. */
async function checkStored(world: World): Promise<void> {
  const { ledger, witness, client } = world
  const listed: { readonly id: string; readonly state: string }[] = []
  for (let before: number | undefined; ;) {
    const page = await answered(world, witness.store.list({ limit: 50, before }))
    for (const job of page.jobs) {
      listed.push(job)
      const known = witness.known.byId.get(job.id)
      if (known === undefined) ledger.violated('JOB-1', `job ${job.id} is there, and nobody has stored it`)
      else if (!isSameState(known.state, job.state)) ledger.violated('JOB-1', `job ${job.id} is ${job.state}, not ${known.state}`)
      if (job.state === 'completed' && job.result !== String(numberOf(job.args)) && job.result !== undefined)
        ledger.violated('JOB-17', `job ${job.id} has the result ${job.result}`)
      if (job.state === 'failed' && job.failure === undefined) ledger.violated('JOB-7', `job ${job.id} failed without a reason`)
    }
    if (page.next === undefined) break
    before = page.next
  }
  const there = new Set(listed.map(({ id }) => id))
  for (const { id, state } of witness.known.all())
    if (state !== 'removed' && !there.has(id)) ledger.violated('JOB-1', `job ${id} is ${state}, and is lost`)
  for (const id of ledger.acknowledged)
    if (!witness.known.byId.has(id)) ledger.violated('JOB-1', `job ${id} was acknowledged, and never stored`)
  const { queues } = await answered(world, client.stats())
  const counted = Object.values(queues).reduce(
    (sum, { delayed, waiting, running, completed, failed, discarded, cancelled }) =>
      sum + delayed + waiting + running + completed + failed + discarded + cancelled,
    0,
  )
  if (counted !== listed.length) ledger.violated('JOB-1', `the stats count ${counted} jobs, where ${listed.length} are there`)
}

/** JOB-16: without any hint a job starts within the poll interval. */
async function checkPolling(world: World): Promise<void> {
  const { ledger, clock } = world
  world.areHintsDropped = true
  const startedAt = new Map<string, number>()
  world.onStart = id => void startedAt.set(id, clock.now())
  const enqueuedAt = clock.now()
  const id = await answered(
    world,
    world.enqueue({
      kind: 'linear',
      queue: 'blue',
      priority: 0,
      delayMs: 0,
      maxAttempts: 1,
      timeoutMs: undefined,
      unique: undefined,
      acts: [],
    }),
  )
  await world.advance(times.pollMs + 50)
  const took = id === undefined ? undefined : startedAt.get(id)
  if (took === undefined) ledger.violated('JOB-16', `a job enqueued at ${enqueuedAt} had not started after ${times.pollMs} ms`)
  world.areHintsDropped = false
}

/** JOB-9, INV-21: everything stops, and nothing is left. */
async function stopAll(world: World): Promise<void> {
  const { ledger, witness, clock } = world
  world.isConcluded = true
  for (const runner of world.runners) if (!runner.process.isDead && !runner.isOver) runner.stop(100)
  await world.advance(100 + 2 * times.abandonMs + 50)
  for (const { stopping, process, name } of world.runners) {
    if (stopping !== undefined && !stopping.isOver && !process.isDead) ledger.violated('JOB-9', `${name} does not stop`)
    const left = process.runtime.topology().stages
    if (left.length > 0 && !process.isDead) ledger.violated('INV-21', `${left.length} stages are left of ${name}`)
    for (const error of process.uncaught) ledger.violated('INV-17', `raised in ${name}: ${String(error)}`)
  }
  await answered(world, world.client.close())
  // A runner whose start failed may have been entered all the same; it holds nothing, and its lease ends by itself
  for (const id of witness.runners)
    if (witness.known.heldBy(id).length > 0) ledger.violated('JOB-9', `runner ${id} has stopped, and holds jobs`)
  const late = clock.pending
  if (late > 0) await world.advance(10_000)
  if (clock.pending > 0) ledger.violated('INV-21', `${clock.pending} timers are left`)
}

/** What a promise resolves with, once the world has had its steps. */
async function answered<T>(world: World, promise: Promise<T>): Promise<T> {
  await world.settle()
  return promise
}

function numberOf(args: string): unknown {
  const read: unknown = JSON.parse(args)
  return typeof read === 'object' && read !== null && 'number' in read ? read.number : undefined
}
