import { kindNames, type JobPlan, type JobsPlan, type RunnerPlan } from './plan.ts'

const job: JobPlan = {
  kind: 'fixed',
  queue: 'blue',
  priority: 0,
  delayMs: 0,
  maxAttempts: 1,
  timeoutMs: undefined,
  unique: undefined,
  acts: [],
}
const runner: RunnerPlan = {
  kinds: kindNames,
  queues: { blue: 1 },
  prefetchMs: 50,
  hints: 'kept',
  noisy: false,
  prunes: false,
}
const noFaults = { before: 0, after: 0, latencyMs: 0 }

/** Plans that once violated an invariant, as fast-check had shortened them. */
export const regressions: readonly { readonly name: string; readonly seed: number; readonly plan: JobsPlan }[] = [
  {
    name: 'JOB-1 ROW-G3 a job on its way to executors whose queue is resized is given again, also where their demand was known before',
    seed: 1_049_150_161,
    plan: {
      runners: [{ ...runner, queues: { blue: 8 } }, runner],
      faults: noFaults,
      actions: [
        { type: 'advance', ms: 1 },
        { type: 'enqueue', by: 0, jobs: [job] },
        { type: 'resize', runner: 0, queue: 'blue', concurrency: 1 },
      ],
    },
  },
  {
    name: 'JOB-9 a stop that comes while reports are written: nothing is claimed after it',
    seed: 214_146_933,
    plan: {
      runners: [{ ...runner, kinds: ['linear'] }],
      faults: { ...noFaults, latencyMs: 80 },
      actions: [
        {
          type: 'enqueue',
          by: 0,
          jobs: [
            {
              ...job,
              kind: 'linear',
              queue: 'red',
              unique: { key: 'w1', windowMs: 1_500, next: false },
              acts: [{ do: 'progress', ms: 0 }],
            },
            { ...job, queue: 'red', unique: { key: 'w1', windowMs: 1_500, next: false } },
          ],
        },
        { type: 'addQueue', runner: 0, queue: 'red', concurrency: 1 },
        { type: 'advance', ms: 1 },
        { type: 'stop', runner: 0, graceMs: 0 },
      ],
    },
  },
  {
    name: 'JOB-1 F3 a write whose answer got lost ended one claim of a job and made another: the second one is given back',
    seed: 18,
    plan: {
      runners: [
        {
          kinds: kindNames,
          queues: { blue: 1 },
          prefetchMs: 50,
          hints: 'dropped',
          noisy: false,
          prunes: false,
        },
        {
          kinds: kindNames,
          queues: { red: 1, blue: 1 },
          prefetchMs: 50,
          hints: 'dropped',
          noisy: false,
          prunes: true,
        },
        {
          kinds: kindNames,
          queues: { red: 1 },
          prefetchMs: 50,
          hints: 'kept',
          noisy: false,
          prunes: false,
        },
      ],
      faults: { before: 0.25, after: 0.05, latencyMs: 0 },
      actions: [
        {
          type: 'enqueue',
          by: 29,
          jobs: [
            {
              kind: 'fixed',
              queue: 'blue',
              priority: 0,
              delayMs: 0,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: undefined,
              acts: [],
            },
          ],
        },
        { type: 'advance', ms: 1000 },
        { type: 'advance', ms: 1000 },
        {
          type: 'enqueue',
          by: 13,
          jobs: [
            {
              kind: 'fixed',
              queue: 'red',
              priority: 0,
              delayMs: 0,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: { key: 'k1', until: 'finished', conflict: 'keep' },
              acts: [],
            },
            {
              kind: 'fixed',
              queue: 'red',
              priority: 0,
              delayMs: 0,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: undefined,
              acts: [],
            },
            {
              kind: 'fixed',
              queue: 'red',
              priority: 0,
              delayMs: 4000,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: undefined,
              acts: [],
            },
            {
              kind: 'growing',
              queue: 'blue',
              priority: 0,
              delayMs: 30,
              maxAttempts: 2,
              timeoutMs: undefined,
              unique: { key: 'k1', until: 'finished', conflict: 'keep' },
              acts: [{ do: 'throw', ms: 100 }],
            },
          ],
        },
        { type: 'resize', runner: 10, queue: 'blue', concurrency: 2 },
        { type: 'advance', ms: 1 },
        { type: 'cancel', job: 27 },
        {
          type: 'enqueue',
          by: 0,
          jobs: [
            {
              kind: 'fixed',
              queue: 'red',
              priority: 0,
              delayMs: 0,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: undefined,
              acts: [],
            },
            {
              kind: 'fixed',
              queue: 'red',
              priority: 0,
              delayMs: 4000,
              maxAttempts: 1,
              timeoutMs: undefined,
              unique: undefined,
              acts: [],
            },
          ],
        },
        { type: 'pauseHere', runner: 16, queue: 'blue' },
        { type: 'resumeHere', runner: 0, queue: 'blue' },
        { type: 'cancel', job: 1 },
        { type: 'start', runner: 0 },
        { type: 'advance', ms: 1000 },
      ],
    },
  },
  {
    name: 'JOB-5 F8 a process that was frozen begins nothing of what it had claimed before it knows that it lives',
    seed: 17,
    plan: {
      runners: [{ ...runner, queues: { red: 1 }, prefetchMs: 2_000 }],
      faults: { ...noFaults, latencyMs: 80 },
      actions: [
        { type: 'advance', ms: 10 },
        {
          type: 'enqueue',
          by: 0,
          jobs: Array.from({ length: 20 }, () => ({
            ...job,
            queue: 'red' as const,
            maxAttempts: 3,
            acts: [
              { do: 'return' as const, ms: 10 },
              { do: 'return' as const, ms: 10 },
            ],
          })),
        },
        { type: 'advance', ms: 117 },
        { type: 'freeze', runner: 0, ms: 6_000 },
        { type: 'start', runner: 0 },
        { type: 'advance', ms: 9_000 },
      ],
    },
  },
  {
    name: 'INV-21 a stop that comes when another one is nearly over sets no timer',
    seed: 558_320_729,
    plan: {
      runners: [{ ...runner, queues: { red: 1, blue: 1 } }],
      faults: { before: 0, after: 0.25, latencyMs: 80 },
      actions: [
        { type: 'enqueue', by: 1, jobs: [{ ...job, queue: 'red' }] },
        { type: 'enqueue', by: 0, jobs: [{ ...job, queue: 'red' }] },
        { type: 'advance', ms: 1 },
        { type: 'stop', runner: 0, graceMs: 100 },
      ],
    },
  },
  {
    name: 'JOB-8 a runner that was taken for dead claims nothing under its new id before that is registered',
    seed: 0,
    plan: {
      runners: [
        { ...runner, queues: { red: 1, blue: 1 } },
        { ...runner, queues: { red: 1, blue: 1 }, hints: 'dropped' },
      ],
      faults: { ...noFaults, after: 0.25 },
      actions: [
        { type: 'dropQueue', runner: 2, queue: 'blue' },
        {
          type: 'enqueue',
          by: 1,
          jobs: [
            { ...job, unique: { key: 'w1', windowMs: 1_500, next: false } },
            { ...job, queue: 'red', acts: [{ do: 'return', ms: 100 }] },
            { ...job, queue: 'red', unique: { key: 'k1', until: 'finished', conflict: 'keep' } },
            { ...job, queue: 'red', delayMs: 4_000 },
          ],
        },
        { type: 'freeze', runner: 21, ms: 2_000 },
        { type: 'advance', ms: 3_500 },
      ],
    },
  },
]
