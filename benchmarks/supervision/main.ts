import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rateOf } from '../core/results.ts'
import { ensureBuilt } from '../harness/built-package.ts'
import { describeMachine, machineLine } from '../harness/machine.ts'
import type { RateFigures } from '../harness/measure-rate.ts'
import { lineProgress } from '../harness/progress.ts'
import { runCells } from '../harness/run-cells.ts'
import { number } from '../harness/table.ts'
import { writeSection } from '../harness/write-section.ts'
import { parseSupervisionOptions } from './options.ts'
import { report } from './report.ts'
import { variantIds } from './variants.ts'
import { writeCoreWithoutTelemetry } from './without-telemetry.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/** Runs WL-1 and WL-2 with and without telemetry and supervision, in pairs, and prints what they cost. Answers the exit code. */
export async function benchSupervision(args: readonly string[], say: (text: string) => void): Promise<number> {
  const { settings, rounds, workloads, json, write } = parseSupervisionOptions(args)
  ensureBuilt('core', line => say(`${line}\n`))
  writeCoreWithoutTelemetry()
  const cells = await runCells<RateFigures>({
    module: import.meta.resolve('./measure.ts'),
    cells: workloads.flatMap(workload => variantIds.map(peer => ({ peer, workload }))),
    settings,
    processes: () => rounds,
    progress: lineProgress(say, figures => `${number(rateOf(figures as RateFigures, 'processor'))} M events/s`),
  })
  const tables = report(cells)
  say(`\n${tables}\n`)
  const machine = describeMachine()
  const date = new Date().toISOString().slice(0, 10)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, date, settings, cells }, undefined, 2)}\n`)
  const origin = `Made by \`npm run bench -- supervision ${args.join(' ')}\` on ${date}: ${machineLine(machine)}.`
  if (write) writeSection(page, 'benchmarks-supervision', `${origin}\n\n${tables}`, 'Performance')
  const failures = cells.flatMap(cell => cell.failures)
  for (const failure of failures) say(`\n${failure}\n`)
  return failures.length === 0 ? 0 : 1
}
