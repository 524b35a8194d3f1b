import { median } from '../harness/statistics.ts'
import { number, table } from '../harness/table.ts'
import { finished, goals, isReached } from './goals.ts'
import type { Results } from './results.ts'
import type { SystemId } from './systems/index.ts'
import { isRate, type RateId, type WorkloadId, workloadIds, workloads } from './workloads.ts'

/** The systems that were run, with their names. */
export type Labels = ReadonlyMap<SystemId, string>

const none = '-'

/** All tables of a run that have something to show, as Markdown. */
export function report(results: Results, labels: Labels): string {
  const rates = workloadIds.filter(isRate).filter(id => results.has(id))
  const [adding, processing] = ['enqueue', 'process'].map(kind => rates.filter(id => workloads[id].kind === kind))
  return [
    ...section('Jobs enqueued per second: median (best)', adding?.length, () => rateTable(results, labels, adding ?? [])),
    ...section('Jobs processed per second: median (best)', processing?.length, () =>
      rateTable(results, labels, processing ?? []),
    ),
    ...section('genstage on SQLite divided by each', labels.has('genstage') && rates.length > 0, () =>
      ratioTable(results, labels, rates),
    ),
    ...section('From adding a job to the start of its handler, with nothing else to do', results.has('idle-latency'), () =>
      latencyTable(results, labels),
    ),
    ...section('10,000 jobs at c=100, with others waiting behind them', results.has('backlog'), () =>
      backlogTable(results, labels),
    ),
    ...section('Import', results.has('import'), () => importTable(results, labels)),
    ...section('Fresh machine', results.has('fresh-machine'), () => freshMachine(results)),
    ...section('Goals', labels.has('genstage'), () => goalTable(results)),
  ].join('\n\n')
}

function section(title: string, present: unknown, body: () => string): readonly string[] {
  return present ? [`### ${title}`, body()] : []
}

function rateTable(results: Results, labels: Labels, ids: readonly RateId[]): string {
  const shown = labelled(labels, id => ids.some(workload => results.rate(id, workload) || results.failed(id, workload)))
  const rows = shown.map(([id, label]) => [label, ...ids.map(workload => rateCell(results, id, workload))])
  return table(['', ...ids.map(id => workloads[id].title)], rows)
}

function rateCell(results: Results, id: SystemId, workload: RateId): string {
  if (results.failed(id, workload)) return 'FAILED'
  const rate = results.rate(id, workload)
  return rate ? `${perSecond(rate.median)} (${perSecond(rate.best)})` : none
}

function ratioTable(results: Results, labels: Labels, ids: readonly RateId[]): string {
  const rows = labelled(labels, id => id !== 'genstage' && ids.some(workload => results.ratio(workload, id) !== undefined)).map(
    ([id, label]) => [label, ...ids.map(workload => optional(results.ratio(workload, id)))],
  )
  return table(['', ...ids.map(titleWithKind)], rows)
}

function titleWithKind(id: WorkloadId): string {
  const { kind, title } = workloads[id]
  return `${kind}, ${title}`
}

function latencyTable(results: Results, labels: Labels): string {
  const rows = [...labels].flatMap(([id, label]) => {
    const latency = results.latency(id)
    return latency ? [[label, latency.p50Ms.toFixed(2), latency.p99Ms.toFixed(2), whole(latency.samples)]] : []
  })
  return table(['', 'p50 ms', 'p99 ms', 'samples'], rows)
}

function backlogTable(results: Results, labels: Labels): string {
  const rows = [...labels].flatMap(([id, label]) => {
    const figures = results.backlog(id)
    if (!figures) return []
    const { backlog, fillPerSecond, empty, full } = figures
    const rates = [fillPerSecond, median(empty), median(full)].map(perSecond)
    return [[label, whole(backlog), ...rates, optional(results.keptWithBacklog(id))]]
  })
  return table(['', 'waiting', 'stored per second', 'processed per second, nothing waiting', 'with the backlog', 'kept'], rows)
}

function importTable(results: Results, labels: Labels): string {
  const rows = [...labels].flatMap(([id, label]) => {
    const figures = results.import(id)
    return figures ? [[label, number(median(figures.ms)), number(median(figures.megabytes))]] : []
  })
  return table(['', 'ms', 'MB'], rows)
}

function freshMachine(results: Results): string {
  const [skipped] = results.installs().flatMap(figures => ('skipped' in figures ? [figures.skipped] : []))
  const done = finished(results)
  if (skipped !== undefined || done.length === 0) return `Skipped: ${skipped ?? 'it failed'}.`
  const rows = done.map(({ installMs, firstJobMs, packages, installScripts }, index) => [
    `run ${index + 1}`,
    (installMs / 1_000).toFixed(1),
    (firstJobMs / 1_000).toFixed(1),
    String(packages),
    String(installScripts.length),
  ])
  return table(['', 'npm install, s', 'first job, s', 'packages', 'install scripts'], rows)
}

function goalTable(results: Results): string {
  const rows = goals.map(goal => {
    const reached = isReached(goal, results)
    const wanted = `${goal.sense === 'at least' ? '≥' : '≤'} ${goal.wanted}`
    const verdict = reached === undefined ? 'not run' : reached ? 'reached' : 'missed'
    return [`${goal.id}, ${goal.name}`, optional(goal.value(results)), wanted, verdict]
  })
  return table(['goal', 'measured', 'wanted', 'verdict'], rows)
}

function labelled(labels: Labels, shows: (id: SystemId) => unknown): readonly (readonly [SystemId, string])[] {
  return [...labels].filter(([id]) => shows(id))
}

function optional(value: number | undefined): string {
  return value === undefined ? none : number(value)
}

/** Whole jobs, but for those who do a few per second. */
function perSecond(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : whole(rate)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
