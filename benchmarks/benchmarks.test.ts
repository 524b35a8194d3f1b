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
import { median, percentile } from './harness/statistics.ts'
import { number, table } from './harness/table.ts'
import { writeSection } from './harness/write-section.ts'

const tiny = { targetMs: 1, runs: 1, backlogMs: 20, latenessMs: 20, processes: 1 }
const measureModule = new URL('./core/measure.ts', import.meta.url).href
const wrongSum = new URL('./fixtures/wrong-sum.ts', import.meta.url).href
const rateIds = workloadIds.filter(isRate)

function ran(peer: string, processorMs: number): CellResult<Figures> {
  const figures: Figures = { kind: 'rate', count: 1_000_000, runs: [{ processorMs, wallMs: processorMs }] }
  return { peer, workload: 'WL-1', figures: [figures], failures: [] }
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
    const request = { peer: id, workload: 'WL-1', module: measureModule, settings: tiny }
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
