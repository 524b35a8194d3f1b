import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../harness/built-package.ts'
import type { Cell } from '../harness/cell-request.ts'
import { describeMachine, machineLine } from '../harness/machine.ts'
import { lineProgress } from '../harness/progress.ts'
import { type CellResult, runCells } from '../harness/run-cells.ts'
import { writeSection } from '../harness/write-section.ts'
import { describeFigures } from './describe-figures.ts'
import type { Figures } from './figures.ts'
import type { JobSystem } from './job-system.ts'
import { type JobsOptions, parseJobsOptions } from './options.ts'
import { probeDisk } from './probe-disk.ts'
import { report } from './report.ts'
import { Results } from './results.ts'
import { openServers, type Servers } from './servers/index.ts'
import { temporaryFolder } from './servers/server-process.ts'
import type { ServerName } from './servers/server.ts'
import { isOwn, loadSystem, type SystemId } from './systems/index.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

type Say = (text: string) => void

/** A cell that hangs is ended after so long; a backlog of a million takes its time to be stored. */
const cellMs = 300_000
const backlogMs = 1_800_000

/** Measures job runners beside one another, on stores and servers of this machine. Answers the exit code. */
export async function benchJobs(args: readonly string[], say: Say): Promise<number> {
  const options = parseJobsOptions(args)
  if (options.systems.some(isOwn)) for (const name of ['core', 'jobs']) ensureBuilt(name, line => say(`${line}\n`))
  const systems = new Map<SystemId, JobSystem>()
  for (const id of options.systems) systems.set(id, await loadSystem(id))
  const needed = [...new Set([...systems.values()].flatMap(system => system.server ?? []))]
  const servers = await openServers(needed, line => say(`${line}\n`))
  const stopAtSignal = (signal: NodeJS.Signals) => void servers.stop().finally(() => process.kill(process.pid, signal))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopAtSignal)
  try {
    return await benchWith(servers, systems, options, args, say)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stopAtSignal)
    await servers.stop()
  }
}

async function benchWith(
  servers: Servers,
  systems: ReadonlyMap<SystemId, JobSystem>,
  options: JobsOptions,
  args: readonly string[],
  say: Say,
): Promise<number> {
  const missing = missingText(servers, systems)
  if (missing !== '') say(`\n${missing}\n\n`)
  const before = probeDisk()
  const cells = await measureAll(servers, systems, options, say)
  const after = probeDisk()

  const results = new Results(cells)
  const present = [...systems].filter(([id]) => cells.some(cell => cell.peer === id))
  const tables = report(results, new Map(present.map(([id, { label }]) => [id, label])))
  const machine = describeMachine()
  const date = new Date().toISOString().slice(0, 10)
  const [begin, end] = [before, after].map(({ p50Us, p90Us }) => `p50 ${p50Us.toFixed(0)} μs, p90 ${p90Us.toFixed(0)} μs`)
  const origin = [
    `Made by \`${['npm run bench -- jobs', ...args].join(' ')}\` on ${date}: ${[machineLine(machine), ...Object.values(servers.found)].join('; ')}.`,
    `A write of 4 KiB and its sync took at the beginning: ${begin}; at the end: ${end}.`,
  ].join('\n')
  const text = [origin, missing, tables].filter(part => part !== '').join('\n\n')
  say(`\n${text}\n`)
  if (options.json !== undefined) {
    const { settings } = options
    const record = { machine, servers: servers.found, disk: { before, after }, date, settings, cells }
    writeFileSync(options.json, `${JSON.stringify(record, undefined, 2)}\n`)
  }
  if (options.write) writeSection(page, 'benchmarks-jobs', text, 'Performance')
  for (const failure of results.failures) say(`\n${failure}\n`)
  return results.failures.length === 0 ? 0 : 1
}

async function measureAll(
  servers: Servers,
  systems: ReadonlyMap<SystemId, JobSystem>,
  { workloads, settings, processes }: JobsOptions,
  say: Say,
): Promise<readonly CellResult<Figures>[]> {
  const answers = (name: ServerName | undefined) => name === undefined || servers.found[name] !== undefined
  const cells: readonly Cell[] = workloads.flatMap(workload =>
    [...systems].filter(([, { has, server }]) => has.includes(workload) && answers(server)).map(([peer]) => ({ peer, workload })),
  )
  const isBacklog = (cell: Cell) => cell.workload === 'backlog'
  const plan = {
    module: import.meta.resolve('./measure.ts'),
    settings,
    // A backlog is stored once, and measured several times in one process
    processes: (cell: Cell) => (isBacklog(cell) ? 1 : processes),
    progress: lineProgress(say, figures => describeFigures(figures as Figures)),
  }
  return inOwnFolder(async () => {
    const short = await runCells<Figures>({ ...plan, cells: cells.filter(cell => !isBacklog(cell)), timeoutMs: cellMs })
    const long = await runCells<Figures>({ ...plan, cells: cells.filter(isBacklog), timeoutMs: backlogMs })
    return [...short, ...long]
  })
}

/** Cells make their temporary files in one folder, so that nothing stays of one that was ended or failed. */
async function inOwnFolder<Result>(run: () => Promise<Result>): Promise<Result> {
  const folder = temporaryFolder('cells')
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder.path
  try {
    return await run()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    folder.remove()
  }
}

/** Which systems are not in the tables, since their server is not there. */
function missingText({ missing }: Servers, systems: ReadonlyMap<SystemId, JobSystem>): string {
  const lines = Object.entries(missing).map(([name, why]) => {
    const labels = [...systems.values()].filter(({ server }) => server === name).map(({ label }) => label)
    return `**MISSING, for there is no ${name}: ${labels.join(', ')}.** ${why[0]?.toUpperCase()}${why.slice(1)}.`
  })
  return lines.join('\n')
}
