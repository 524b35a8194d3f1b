import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../harness/built-package.ts'
import { describeMachine, machineLine } from '../harness/machine.ts'
import { lineProgress } from '../harness/progress.ts'
import { runCells } from '../harness/run-cells.ts'
import { number } from '../harness/table.ts'
import { writeSection } from '../harness/write-section.ts'
import type { WorkersFigures } from './measure.ts'
import { parseWorkersOptions } from './options.ts'
import { heavyPeers, lightPeers, processRate, report } from './report.ts'
import { heavy, light } from './workloads.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/** Measures consumers on threads, beside the same consumer on the thread of the process. Answers the exit code. */
export async function benchWorkers(args: readonly string[], say: (text: string) => void): Promise<number> {
  const { settings, processes, json, write } = parseWorkersOptions(args)
  for (const name of ['core', 'workers']) ensureBuilt(name, line => say(`${line}\n`))
  const cellsOf = (workloads: readonly string[], peers: readonly string[]) =>
    workloads.flatMap(workload => peers.map(peer => ({ peer, workload })))
  const cells = await runCells<WorkersFigures>({
    module: import.meta.resolve('./measure.ts'),
    cells: [...cellsOf(Object.keys(heavy), heavyPeers), ...cellsOf(Object.keys(light), lightPeers)],
    settings,
    processes: () => processes,
    progress: lineProgress(say, figures => `${number(processRate(figures as WorkersFigures) / 1e6)} M/s`),
  })
  const tables = report(cells)
  say(`\n${tables}\n`)
  const machine = describeMachine()
  const date = new Date().toISOString().slice(0, 10)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, date, settings, cells }, undefined, 2)}\n`)
  const origin = `Made by \`npm run bench -- workers ${args.join(' ')}\` on ${date}: ${machineLine(machine)}.`
  if (write) writeSection(page, 'benchmarks-workers', `${origin}\n\n${tables}`, 'Performance')
  const failures = cells.flatMap(cell => cell.failures)
  for (const failure of failures) say(`\n${failure}\n`)
  return failures.length === 0 ? 0 : 1
}
