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
import { parseStreamsOptions } from './options.ts'
import { report } from './report.ts'
import { loadSubject, ways } from './subject.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/** Runs every workload directly and with stages, in pairs, and prints what the stages cost. Answers the exit code. */
export async function benchStreams(args: readonly string[], say: (text: string) => void): Promise<number> {
  const { settings, rounds, subjects: ids, json, write } = parseStreamsOptions(args)
  const subjects = Object.fromEntries(await Promise.all(ids.map(async id => [id, await loadSubject(id)] as const)))
  const packages = new Set(['core', ...Object.values(subjects).flatMap(subject => subject.packages)])
  for (const name of packages) ensureBuilt(name, line => say(`${line}\n`))
  const workloads = ids.flatMap(id => Object.keys(subjects[id]?.comparisons ?? {}).map(name => `${id}/${name}`))
  const cells = await runCells<RateFigures>({
    module: import.meta.resolve('./measure.ts'),
    cells: workloads.flatMap(workload => ways.map(peer => ({ peer, workload }))),
    settings,
    processes: () => rounds,
    progress: lineProgress(say, figures => `${number(rateOf(figures as RateFigures, 'processor') * 1_000)} k/s`),
  })
  const tables = report(cells, subjects)
  say(`\n${tables}\n`)
  const machine = describeMachine()
  const date = new Date().toISOString().slice(0, 10)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, date, settings, cells }, undefined, 2)}\n`)
  const origin = `Made by \`npm run bench -- streams ${args.join(' ')}\` on ${date}: ${machineLine(machine)}.`
  if (write) writeSection(page, 'benchmarks-streams', `${origin}\n\n${tables}`, 'Performance')
  const failures = cells.flatMap(cell => cell.failures)
  for (const failure of failures) say(`\n${failure}\n`)
  return failures.length === 0 ? 0 : 1
}
