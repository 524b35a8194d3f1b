import fc from 'fast-check'
import { type Act, type Action, type JobPlan, type JobsPlan, kindNames, queueNames, type RunnerPlan } from './plan.ts'

const place = fc.nat({ max: 31 })
const shortMs = fc.constantFrom(0, 0, 1, 10, 100, 700)
const queue = fc.constantFrom(...queueNames)
const concurrency = fc.constantFrom(1, 1, 2, 3, 8)

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('return', 'return', 'throw', 'throw', 'progress', 'discard', 'cancel', 'more'),
      ms: shortMs,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('obey'), ms: fc.constantFrom(10, 500, 2_000, 6_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('return'), ms: fc.constantFrom(2_000, 6_000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('retry', 'snooze'), ms: shortMs, inMs: fc.constantFrom(1, 50, 900) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('never') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
)

const unique: fc.Arbitrary<JobPlan['unique']> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.record({
      key: fc.constantFrom('k1', 'k2'),
      until: fc.constantFrom('finished', 'started'),
      conflict: fc.constantFrom('keep', 'replace'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ key: fc.constantFrom('w1', 'w2'), windowMs: fc.constant(1_500), next: fc.boolean() }) },
)

const job: fc.Arbitrary<JobPlan> = fc
  .record({
    kind: fc.constantFrom(...kindNames),
    queue,
    priority: fc.constantFrom(0, 0, 0, -1, 5),
    delayMs: fc.constantFrom(0, 0, 0, 30, 1_000, 4_000),
    maxAttempts: fc.integer({ min: 1, max: 4 }),
    timeoutMs: fc.constantFrom(undefined, undefined, 300, 2_500),
    unique,
    acts: fc.array(act, { maxLength: 4, size: 'max' }),
  })
  .map(plan => ({ ...plan, timeoutMs: timeoutOf(plan) }))

function timeoutOf({ acts, timeoutMs }: JobPlan): number | undefined {
  return acts.some(each => each.do === 'never') ? (timeoutMs ?? 300) : timeoutMs
}

const runner: fc.Arbitrary<RunnerPlan> = fc.record({
  kinds: fc.oneof({ weight: 3, arbitrary: fc.constant(kindNames) }, fc.subarray([...kindNames], { minLength: 1 })),
  queues: fc.oneof(
    { weight: 3, arbitrary: fc.record({ red: concurrency, blue: concurrency }) },
    fc.record({ red: concurrency }),
    fc.record({ blue: concurrency }),
  ),
  prefetchMs: fc.constantFrom(50, 50, 0, 2_000),
  hints: fc.constantFrom('kept', 'kept', 'kept', 'dropped', 'twice', 'late'),
  noisy: fc.constantFrom(false, false, false, true),
  prunes: fc.constantFrom(false, false, true),
})

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('enqueue'),
      by: place,
      jobs: fc.array(job, { minLength: 1, maxLength: 4, size: 'max' }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('advance'), ms: fc.constantFrom(1, 20, 150, 1_000, 3_500) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('steps'), count: fc.integer({ min: 1, max: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('start'), runner: place }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('kill'), runner: place }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('freeze'), runner: place, ms: fc.constantFrom(50, 2_000, 6_000) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('stop'), runner: place, graceMs: fc.constantFrom(0, 100, 3_000) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('pauseHere', 'resumeHere', 'dropQueue'), runner: place, queue }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('resize', 'addQueue'), runner: place, queue, concurrency }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('cancel', 'cancel', 'remove', 'retry'), job: place }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reschedule'), job: place, inMs: fc.constantFrom(0, 10, 2_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('pauseQueue', 'resumeQueue', 'resumeQueue', 'clearQueue'), queue }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('jump'),
      ms: fc.constantFrom(-3_600_000, -500, 500, 3_600_000),
      where: fc.constantFrom('store', 'process'),
      runner: place,
    }),
  },
)

/** Random runners, jobs, commands and misfortunes. */
export function jobsArbitrary({ maxActions = 24 }: { readonly maxActions?: number } = {}): fc.Arbitrary<JobsPlan> {
  return fc.record({
    runners: fc.array(runner, { minLength: 1, maxLength: 3, size: 'max' }),
    faults: fc.record({
      before: fc.constantFrom(0, 0, 0.05, 0.25),
      after: fc.constantFrom(0, 0, 0.05, 0.25),
      latencyMs: fc.constantFrom(0, 0, 5, 80),
    }),
    actions: fc.array(action, { maxLength: maxActions, size: 'max' }),
  })
}
