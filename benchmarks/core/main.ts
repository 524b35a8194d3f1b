import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../harness/built-package.ts'
import type { Cell } from '../harness/cell-request.ts'
import { describeMachine, machineLine } from '../harness/machine.ts'
import { lineProgress } from '../harness/progress.ts'
import { runCells } from '../harness/run-cells.ts'
import { number } from '../harness/table.ts'
import { writeSection } from '../harness/write-section.ts'
import type { Figures } from './measure.ts'
import { parseCoreOptions } from './options.ts'
import { supports, type Peer } from './peer.ts'
import { loadPeer, type PeerId } from './peers/index.ts'
import { report } from './report.ts'
import { rateOf, Results } from './results.ts'
import { isRate, isWorkloadId, type WorkloadId } from './workloads.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/** Runs the workloads of the stage core and of its peers, and prints the tables. Answers the exit code. */
export async function benchCore(args: readonly string[], say: (text: string) => void): Promise<number> {
  const { settings, workloads, peers, json, write } = parseCoreOptions(args)
  if (peers.includes('genstage')) ensureBuilt('core', line => say(`${line}\n`))
  const loaded = new Map<PeerId, Peer>()
  for (const id of peers) loaded.set(id, await loadPeer(id))
  const cells = await runCells<Figures>({
    module: import.meta.resolve('./measure.ts'),
    cells: cellsOf(workloads, loaded),
    settings,
    processes: ({ workload }) => (isWorkloadId(workload) && isRate(workload) ? settings.processes : 1),
    progress: lineProgress(say, figures => summary(figures as Figures)),
  })
  const results = new Results(cells)
  const labels = new Map([...loaded].map(([id, { label }]) => [id, label]))
  const tables = report(results, labels, workloads)
  say(`\n${tables}\n`)
  const machine = describeMachine()
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, date: today(), settings, cells }, undefined, 2)}\n`)
  if (write) writeSection(page, 'benchmarks-core', `${origin(args, machineLine(machine))}\n\n${tables}`, 'Performance')
  for (const failure of results.failures()) say(`\n${failure}\n`)
  return results.failures().length === 0 ? 0 : 1
}

function cellsOf(workloads: readonly WorkloadId[], peers: ReadonlyMap<PeerId, Peer>): Cell[] {
  return workloads.flatMap(workload =>
    [...peers].filter(([, peer]) => supports(peer, workload)).map(([peer]) => ({ peer, workload })),
  )
}

/** The figure of a cell in the progress line. */
function summary(figures: Figures): string {
  switch (figures.kind) {
    case 'rate':
      return `${number(rateOf(figures, 'processor'))} M events/s`
    case 'backlog':
      return `${figures.mostWaiting} waiting, heap grew by ${figures.peakHeapGrowthMb.toFixed(1)} MB`
    case 'lateness':
      return `late by ${figures.p99Ms.toFixed(1)} ms (p99)`
    case 'idle':
      return `${figures.processorUsEach.toFixed(1)} μs, ${figures.heapBytesEach.toFixed(0)} bytes each`
  }
}

function origin(args: readonly string[], machine: string): string {
  return `Made by \`npm run bench -- core ${args.join(' ')}\` on ${today()}: ${machine}.`
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}
