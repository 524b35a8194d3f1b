import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCell } from '../harness/run-cell.ts'
import type { CellResult } from '../harness/run-cells.ts'
import type { Figures } from './figures.ts'
import { goals, isReached } from './goals.ts'
import type { OpenJobSystem } from './job-system.ts'
import { measure } from './measure.ts'
import { parseJobsOptions } from './options.ts'
import { type Payload, payloadOf } from './payload.ts'
import { fill, HandledTwice, processJobs } from './process-jobs.ts'
import { report } from './report.ts'
import { Results } from './results.ts'
import { openServers } from './servers/index.ts'
import { freePort } from './servers/server-process.ts'
import { urlOf, urlVariables } from './servers/server.ts'
import type { JobsSettings } from './settings.ts'
import { loadSystem, type SystemId } from './systems/index.ts'
import { type WorkloadId, workloads } from './workloads.ts'

const tiny: JobsSettings = {
  enqueued: 20,
  enqueuedInBulk: 1_000,
  processed: 100,
  mostMs: 2_000,
  latencySamples: 2,
  backlog: { own: 200, peers: 100, processed: 20, runs: 1 },
  imports: 1,
}

/** Systems that need no server; each of their workloads is run. */
const alone = await Promise.all(
  (['genstage', 'genstage-memory', 'sqlite-loop'] as const).map(async id => [id, await loadSystem(id)] as const),
)
/** These two need a registry, or packages that are built. */
const elsewhere: readonly WorkloadId[] = ['import', 'fresh-machine']
const cells = alone.flatMap(([peer, { has }]) => has.filter(id => !elsewhere.includes(id)).map(workload => ({ peer, workload })))

const rateOf = (peer: SystemId, workload: WorkloadId, ...rates: readonly number[]): CellResult<Figures> => ({
  peer,
  workload,
  figures: rates.map(rate => ({ kind: 'rate', jobs: rate, ms: 1_000 })),
  failures: [],
})

const number: unknown = expect.any(Number)

/** What each kind of workload hands over. */
const shapes = {
  enqueue: { kind: 'rate', ms: number },
  process: { kind: 'rate', ms: number },
  latency: { kind: 'latency', samplesMs: [number, number] },
  backlog: { kind: 'backlog', backlog: 200, empty: [number, number], full: [number] },
  import: { kind: 'import', ms: [number], megabytes: [number] },
  'fresh-machine': { kind: 'install' },
} satisfies Record<(typeof workloads)[WorkloadId]['kind'], object>

function jobsOf(workload: WorkloadId): number {
  if (workload === 'enqueue-bulk') return tiny.enqueuedInBulk
  return workloads[workload].kind === 'enqueue' ? tiny.enqueued : tiny.processed
}

describe('a cell that needs no server', () => {
  it.each(cells)('is measured: $workload of $peer', async ({ peer, workload }) => {
    const figures = await measure({ peer, workload, settings: tiny })
    expect(figures).toMatchObject(shapes[workloads[workload].kind])
    if (figures.kind === 'rate') expect(figures.jobs).toBe(jobsOf(workload))
  })

  it('runs in a process of its own', async () => {
    const module = new URL('./measure.ts', import.meta.url).href
    const figures = await runCell<Figures>({ peer: 'sqlite-loop', workload: 'process-10', module, settings: tiny })
    expect(figures).toMatchObject({ kind: 'rate', jobs: 100 })
  })

  it('is the import of a package by plain Node', async () => {
    const figures = await measure({ peer: 'bullmq', workload: 'import', settings: tiny })
    expect(figures).toMatchObject(shapes.import)
  })
})

/** A job runner in a few lines: it hands over every job that waits, `times` times, and then what is added. */
function plainSystem(times = 1): OpenJobSystem {
  const waiting: Payload[] = []
  return {
    add: async job => waiting.push(job),
    addMany: async jobs => waiting.push(...jobs),
    work: async (_, handle) => {
      for (const job of waiting) for (let time = 0; time < times; time++) handle(job)
      return async () => {}
    },
    clear: async () => waiting.splice(0),
    close: async () => {},
  }
}

describe('a run of processing', () => {
  const asked = { run: 1, waiting: 10, count: 10, concurrency: 1, mostMs: 50 }

  it('ends with the last job', async () => {
    const open = plainSystem()
    await fill(open, 1, 10)
    expect(await processJobs(open, asked)).toMatchObject({ jobs: 10 })
  })

  it('counts what was done when the time is over, and nothing of other runs', async () => {
    const open = plainSystem()
    await fill(open, 1, 4)
    await open.add(payloadOf(0, 5))
    const { jobs, ms } = await processJobs(open, asked)
    expect(jobs).toBe(4)
    expect(ms).toBeGreaterThanOrEqual(45)
  })

  it('fails when a job is handed over twice', async () => {
    const open = plainSystem(2)
    await fill(open, 1, 10)
    await expect(processJobs(open, asked)).rejects.toBeInstanceOf(HandledTwice)
  })
})

describe('servers', () => {
  const before = { ...process.env }
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'benchmarks-'))
    for (const name of Object.values(urlVariables)) vi.stubEnv(name, undefined)
  })

  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
    expect(process.env).toEqual(before)
  })

  it('that are neither named nor installed are missing, with the reason', async () => {
    vi.stubEnv('PATH', folder)
    const servers = await openServers(['redis'], () => {})
    expect(servers.found).toEqual({})
    expect(servers.missing).toEqual({ redis: 'neither GENSTAGE_REDIS_URL nor the programs redis-server are there' })
    expect(() => urlOf('redis')).toThrow('GENSTAGE_REDIS_URL is not set')
    await servers.stop()
  })

  it('that are named and do not answer are an error, which does not tell the password', async () => {
    const nobody = await freePort()
    vi.stubEnv('GENSTAGE_REDIS_URL', `redis://:secret@127.0.0.1:${nobody}`)
    const opening = openServers(['redis'], () => {})
    await expect(opening).rejects.toThrow('the server of GENSTAGE_REDIS_URL does not answer')
    await expect(opening).rejects.not.toThrow('secret')
  })

  it('that do not start are an error with what they complained about, and leave nothing behind', async () => {
    writeFileSync(join(folder, 'redis-server'), '#!/bin/sh\necho "$1" > "$0.asked"; echo broken >&2; exit 1\n', { mode: 0o755 })
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
    await expect(openServers(['redis'], () => {})).rejects.toThrow('did not start: broken')
    expect(existsSync(join(folder, 'redis-server.asked'))).toBe(true)
  })
})

describe('the results', () => {
  const results = new Results([
    rateOf('genstage', 'process-100', 80, 100, 120),
    rateOf('bullmq', 'process-100', 10, 20, 30),
    rateOf('graphile', 'process-100', 10),
    rateOf('graphile-tuned', 'process-100', 50),
    { ...rateOf('pg-boss', 'process-100', 40), failures: ['died'] },
  ])

  it('are medians, the best beside them, and ratios to the fastest configuration', () => {
    expect(results.rate('bullmq', 'process-100')).toEqual({ median: 20, best: 30 })
    expect(results.ratio('process-100', 'graphile', 'graphile-tuned')).toBe(2)
    expect(results.rate('pg-boss', 'process-100')).toBeUndefined()
  })

  it('reach goals, miss them, or do not tell', () => {
    const verdicts = goals.filter(goal => goal.id === 'GOAL-7').map(goal => isReached(goal, results))
    expect(verdicts).toEqual([true, false])
    expect(goals.filter(goal => goal.id === 'GOAL-21').map(goal => isReached(goal, results))).toEqual(Array(4).fill(undefined))
  })

  it('are printed as tables', () => {
    const text = report(
      results,
      new Map([
        ['genstage', 'ours'],
        ['bullmq', 'BullMQ'],
        ['pg-boss', 'pg-boss'],
      ]),
    )
    expect(text).toContain('| ours    | 100 (120) |')
    expect(text).toContain('| pg-boss |    FAILED |')
    expect(text).toMatch(/GOAL-7, process, c=100, times BullMQ +\| +5\.00 \| +≥ 4 \| +reached/)
    expect(text).not.toContain('### Import')
  })
})

describe('the command line', () => {
  it('takes workloads, peers and a backlog', () => {
    const { workloads, systems, settings, processes } = parseJobsOptions([
      '--only',
      'backlog',
      '--peers',
      'bullmq,genstage',
      '--backlog',
      '50000',
    ])
    expect({ workloads, systems, processes }).toEqual({ workloads: ['backlog'], systems: ['genstage', 'bullmq'], processes: 3 })
    expect(settings.backlog).toMatchObject({ own: 50_000, peers: 50_000 })
  })

  it('leaves the backlog out of a quick run, unless it is asked for', () => {
    expect(parseJobsOptions(['--quick']).workloads).not.toContain('backlog')
    expect(parseJobsOptions(['--quick', '--only', 'backlog']).workloads).toEqual(['backlog'])
  })

  it('refuses what it does not know', () => {
    expect(() => parseJobsOptions(['--only', 'dreams'])).toThrow('--only dreams: no such workload')
    expect(() => parseJobsOptions(['--peers', 'cron'])).toThrow('--peers cron: no such peer')
    expect(() => parseJobsOptions(['--backlog', '5'])).toThrow('--backlog 5: a whole number of at least 40000')
  })
})
