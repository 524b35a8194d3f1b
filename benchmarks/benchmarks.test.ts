import * as core from '@genstage/core'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { goals, isReached } from './core/goals.ts'
import { taskOf, type Figures } from './core/measure.ts'
import { parseCoreOptions } from './core/options.ts'
import { supports } from './core/peer.ts'
import { loadPeer, peerIds } from './core/peers/index.ts'
import { Results } from './core/results.ts'
import { countStep, isRate, mostEvents, workloadIds, workloads } from './core/workloads.ts'
import { calibrate } from './harness/calibrate.ts'
import type { Cell } from './harness/cell-request.ts'
import { CellFailed, runCell } from './harness/run-cell.ts'
import { runCells, type CellResult } from './harness/run-cells.ts'
import type { RateFigures } from './harness/measure-rate.ts'
import { median, medianInterval, percentile } from './harness/statistics.ts'
import { number, table } from './harness/table.ts'
import { writeSection } from './harness/write-section.ts'
import { parseStreamsOptions } from './streams/options.ts'
import { loadSubject, subjectIds } from './streams/subject.ts'
import { parseSupervisionOptions } from './supervision/options.ts'
import { compared, pipelines } from './supervision/pipelines.ts'
import { costOf, report as supervisionReport } from './supervision/report.ts'
import { comparisons, variantIds } from './supervision/variants.ts'
import { withoutTelemetry } from './supervision/without-telemetry.ts'
import type { WorkersFigures } from './workers/measure.ts'
import { parseWorkersOptions } from './workers/options.ts'

const tiny = { targetMs: 1, runs: 1, backlogMs: 20, latenessMs: 20, processes: 1 }
const measureModule = new URL('./core/measure.ts', import.meta.url).href
const wrongSum = new URL('./fixtures/wrong-sum.ts', import.meta.url).href
const rateIds = workloadIds.filter(isRate)

function ran(peer: string, processorMs: number): CellResult<Figures> {
  const figures: Figures = { kind: 'rate', count: 1_000_000, runs: [{ processorMs, wallMs: processorMs }] }
  return { peer, workload: 'WL-1', figures: [figures], failures: [] }
}

/** Processes of one variant at WL-1, each with the milliseconds of its run. */
function rounds(peer: string, ...milliseconds: readonly number[]): CellResult<RateFigures> {
  const figures = milliseconds.map(ms => ({ kind: 'rate', count: 1_000_000, runs: [{ processorMs: ms, wallMs: ms }] }) as const)
  return { peer, workload: 'WL-1', figures, failures: [] }
}

const aMillionPerSecond = async (count: number) => ({ processorMs: count / 1_000, wallMs: 0 })

describe.each(peerIds)('%s', id => {
  it('answers the right checksum of every workload it has', async () => {
    const peer = await loadPeer(id)
    const own = rateIds.filter(workload => supports(peer, workload))
    const checksums = own.map(async workload => taskOf(peer, workload).run(countStep))
    expect(await Promise.all(checksums)).toEqual(own.map(workload => workloads[workload].expected(countStep)))
  })

  it('runs a cell in a process of its own', async () => {
    const peer = await loadPeer(id)
    const workload = rateIds.find(each => supports(peer, each)) ?? 'WL-1'
    const request = { peer: id, workload, module: measureModule, settings: tiny }
    const figures = await runCell<Figures>(request, { conditions: ['@genstage/source'] })
    expect(figures).toMatchObject({ kind: 'rate', runs: [{ processorMs: expect.any(Number), wallMs: expect.any(Number) }] })
  })
})

describe('a wrong checksum', () => {
  const cell: Cell = { peer: 'liar', workload: 'WL-1' }

  it('fails its cell, and says by how much', async () => {
    const failure = runCell({ ...cell, module: wrongSum, settings: tiny })
    await expect(failure).rejects.toBeInstanceOf(CellFailed)
    await expect(failure).rejects.toThrow('wrong checksum after 10 events: 36 instead of 45')
  })

  it('is listed among the failures of a run, and is not tried again', async () => {
    const begun: Cell[] = []
    const progress = { begin: (each: Cell) => void begun.push(each), end: () => {} }
    const [result] = await runCells({ cells: [cell], module: wrongSum, settings: tiny, processes: () => 3, progress })
    expect(begun).toEqual([cell])
    expect(result?.failures).toEqual([expect.stringContaining('WL-1 of liar failed')])
  })
})

describe('calibrate', () => {
  it('finds the count that takes as long as it should', async () => {
    expect(await calibrate(aMillionPerSecond, { targetMs: 250, step: 1_000, most: 1e9 })).toBeGreaterThan(170_000)
    expect(await calibrate(aMillionPerSecond, { targetMs: 250, step: 1_000, most: 100_500 })).toBe(100_000)
  })
})

describe('the workloads', () => {
  it.each(rateIds)('%s keeps to counts with an exact checksum', id => {
    const most = mostEvents(workloads[id])
    expect(most % countStep).toBe(0)
    expect(Number.isSafeInteger(workloads[id].expected(most))).toBe(true)
  })
})

describe('the goals', () => {
  const results = new Results([ran('genstage', 10), ran('limit', 5.5)])

  it('are reached, missed, or not run', () => {
    const [ofLimit] = goals
    expect(ofLimit && isReached(ofLimit, 'good', results)).toBe(true)
    expect(ofLimit && isReached(ofLimit, 'moonshot', results)).toBe(false)
    expect(ofLimit && isReached(ofLimit, 'good', new Results([]))).toBeUndefined()
  })
})

describe('the command line', () => {
  it('takes workloads with their variants, and peers', () => {
    const { workloads: chosen, peers } = parseCoreOptions(['--only', 'WL-1,WL-7', '--peers', 'rxjs,limit'])
    expect(chosen).toEqual(['WL-1', 'WL-7', 'WL-1@100/50', 'WL-1@10/5'])
    expect(peers).toEqual(['limit', 'rxjs'])
  })

  it('refuses what it does not know', () => {
    expect(() => parseCoreOptions(['--only', 'WL-99'])).toThrow('--only WL-99: no such workload')
  })
})

describe('the figures', () => {
  it('are summed up by medians and percentiles', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
    expect([percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.99)]).toEqual([2, 4])
  })

  it('have an interval by the signs, which is as wide as few values make it', () => {
    const upTo = (length: number) => Array.from({ length }, (_, index) => index)
    expect(medianInterval(upTo(6))).toEqual({ median: 2.5, from: 0, to: 5, certainty: 0.96875 })
    expect(medianInterval(upTo(12).toReversed())).toMatchObject({ median: 5.5, from: 2, to: 9 })
    expect(medianInterval(upTo(12)).certainty).toBeCloseTo(0.961, 3)
    expect(medianInterval(upTo(3))).toEqual({ median: 1, from: 0, to: 2, certainty: 0.75 })
    expect(medianInterval([7])).toEqual({ median: 7, from: 7, to: 7, certainty: 0 })
  })

  it('are printed with three digits that matter', () => {
    expect([466.3, 24, 0.5451, 0].map(number)).toEqual(['466', '24.0', '0.545', '0'])
    expect(table(['peer', 'WL-1'], [['limit', '466']])).toBe('| peer  | WL-1 |\n| ----- | ---: |\n| limit |  466 |')
  })

  it('are written between the markers of a page, and replace those written before', () => {
    const folder = mkdtempSync(join(tmpdir(), 'benchmarks-'))
    const page = join(folder, 'performance.md')
    try {
      writeFileSync(page, '# Performance\n\nBefore.\n')
      writeSection(page, 'core', 'one', 'Performance')
      writeSection(page, 'core', 'two', 'Performance')
      expect(readFileSync(page, 'utf8')).toBe('# Performance\n\nBefore.\n\n<!-- core:begin -->\n\ntwo\n\n<!-- core:end -->\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what supervision and telemetry cost', () => {
  it.each(variantIds)('is measured with the right checksums: %s', async variant => {
    const runs = pipelines(core, variant)
    const checksums = compared.map(async id => runs[id](countStep))
    expect(await Promise.all(checksums)).toEqual(compared.map(id => workloads[id].expected(countStep)))
  })

  it('is measured against a core in which every look for listeners is answered beforehand', () => {
    const code = [
      'if (telemetry.active) telemetry.tell("asked")',
      'if (!this.#telemetry.active) return',
      'if (events.length > 0 && this.#host.runtime.telemetry.active) tell()',
      'this.telemetry.look(); this.active = true; this.mytelemetry.active',
    ]
    expect(withoutTelemetry(code.join('\n'))).toEqual({
      code: [
        'if (false) telemetry.tell("asked")',
        'if (!false) return',
        'if (events.length > 0 && false) tell()',
        'undefined; this.active = true; this.mytelemetry.active',
      ].join('\n'),
      replaced: 3,
    })
  })

  it('is a difference of pairs, round by round', () => {
    const cells = [rounds('bare', 9, 18, 27), rounds('telemetry', 10, 20, 30), rounds('supervised', 12, 20, 27)]
    const costs = comparisons.map(each => costOf(cells, each, 'WL-1'))
    expect(costs[0]?.median).toBeCloseTo(0.1)
    expect([costs[2]?.from, costs[2]?.median, costs[2]?.to].map(each => each?.toFixed(2))).toEqual(['0.00', '0.10', '0.25'])
    expect(costs[3]).toBeUndefined()
    expect(supervisionReport(cells)).toContain('| both                                    |  10.0 % (0.0 % to 25.0 %) |')
  })

  it('is not told of a variant that failed, whose rounds have no partners', () => {
    const cells = [rounds('bare', 9, 18), { ...rounds('telemetry', 10), failures: ['died'] }]
    expect(comparisons.map(each => costOf(cells, each, 'WL-1'))).toEqual([undefined, undefined, undefined, undefined])
  })

  it('has a command line of its own', () => {
    expect(parseSupervisionOptions(['--only', 'WL-2', '--rounds', '3'])).toMatchObject({ workloads: ['WL-2'], rounds: 3 })
    expect(parseSupervisionOptions(['--quick']).rounds).toBe(6)
    expect(() => parseSupervisionOptions(['--only', 'WL-3'])).toThrow('--only WL-3: no such workload')
    expect(() => parseSupervisionOptions(['--rounds', '0.5'])).toThrow('--rounds 0.5: not a whole number from 1')
  })
})

const streamsSubjects = await Promise.all(subjectIds.map(async id => [id, await loadSubject(id)] as const))

describe.each(streamsSubjects)('the adapters of the subject %s', (_, { comparisons: own }) => {
  it.each(Object.entries(own))(
    'come to the same checksum directly and with stages: %s',
    async (__, { direct, stages, expected }) => {
      const count = 64
      expect([await direct(count), await stages(count)]).toEqual([expected(count), expected(count)])
    },
  )
})

describe('what a thread costs', () => {
  const settings = { targetMs: 1, runs: 1 }
  const module = new URL('./workers/measure.ts', import.meta.url).href

  it.each(['numbers', 'objects-json', 'arrays-together', 'hash'])('is measured with the right checksum: %s', async workload => {
    const request = { peer: '1@2', workload, module, settings }
    const figures = await runCell<WorkersFigures>(request, { conditions: ['@genstage/source'] })
    expect(figures).toMatchObject({ count: expect.any(Number), wallMs: [expect.any(Number)] })
  })

  it('has a command line of its own', () => {
    expect(parseWorkersOptions(['--quick', '--write'])).toMatchObject({ processes: 1, write: true })
    expect(() => parseWorkersOptions(['--only', 'x'])).toThrow('--only')
    expect(parseStreamsOptions(['--only', 'web', '--rounds', '2'])).toMatchObject({ subjects: ['web'], rounds: 2 })
    expect(() => parseStreamsOptions(['--only', 'tapes'])).toThrow('--only tapes: no such subject')
  })
})
