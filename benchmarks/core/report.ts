import { number, table } from '../harness/table.ts'
import { genstageRecorded, genstageRecordedOther } from './genstage-recorded.ts'
import { goals, isReached, timesGenstage, type Goal } from './goals.ts'
import type { PeerId } from './peers/index.ts'
import type { Results, Time } from './results.ts'
import { baseOf, isRate, type RateId, type WorkloadId } from './workloads.ts'

/** The peers that were run, with their names. */
export type Labels = ReadonlyMap<PeerId, string>

const none = '-'
const recordedLabel = 'GenStage 1.3.2 (quoted)'

/** All tables of a run that have something to show, as Markdown. */
export function report(results: Results, labels: Labels, ids: readonly WorkloadId[]): string {
  const rates = ids.filter(isRate)
  const main = rates.filter(id => baseOf(id) === id)
  return [
    ...section(main.length > 0, 'Million events per second of processor time', rateTable(results, labels, main, 'processor')),
    ...section(main.length > 0, 'The same by the wall clock', rateTable(results, labels, main, 'wall')),
    ...section(main.length > 0 && labels.has('genstage'), 'genstage divided by each peer', ratioTable(results, labels, main)),
    ...section(
      rates.length > main.length && labels.has('genstage'),
      'Variants: small batches, concurrency by hand, no yields',
      variantTable(results, rates),
    ),
    ...section(
      ids.some(id => !isRate(id)),
      'Memory, event loop, start-up',
      otherTable(results, labels),
    ),
    ...section(labels.has('genstage'), 'Goals', goalTable(results)),
  ].join('\n\n')
}

function section(present: boolean, title: string, body: string): string[] {
  return present ? [`### ${title}`, body] : []
}

function rateTable(results: Results, labels: Labels, ids: readonly RateId[], time: Time): string {
  const rows = [...labels].map(([peer, label]) => [label, ...ids.map(id => rateCell(results, peer, id, time))])
  const recorded = [recordedLabel, ...ids.map(id => optional(genstageRecorded[id]?.[time]))]
  return table(['peer', ...ids], [...rows, recorded])
}

function rateCell(results: Results, peer: PeerId, id: RateId, time: Time): string {
  if (results.failed(peer, id)) return 'FAILED'
  const rate = results.rate(peer, id, time)
  if (!rate) return none
  return rate.lowest === rate.highest
    ? number(rate.median)
    : `${number(rate.median)} (${number(rate.lowest)}–${number(rate.highest)})`
}

function ratioTable(results: Results, labels: Labels, ids: readonly RateId[]): string {
  const peers = [...labels].filter(([peer]) => peer !== 'genstage')
  const rows = peers.map(([peer, label]) => [label, ...ids.map(id => optional(results.ratio('genstage', peer, id)))])
  const recorded = ids.map(id => optional(timesGenstage(results, id)))
  return table(['peer', ...ids], [...rows, [recordedLabel, ...recorded]])
}

function variantTable(results: Results, ids: readonly RateId[]): string {
  const rows = ids
    .filter(id => baseOf(id) !== id)
    .map(id => [id, rateCell(results, 'genstage', id, 'processor'), rateCell(results, 'genstage', id, 'wall')])
  return table(['genstage', 'M events/s of processor time', 'by the wall clock'], rows)
}

const otherColumns = [
  'peer',
  'WL-9 most waiting',
  'peak heap MB',
  'live heap MB',
  'WL-10 p50 / p99 / max ms (run)',
  'WL-11 1,000: μs / bytes',
  '100,000: μs / bytes',
]

function otherTable(results: Results, labels: Labels): string {
  const rows = [...labels].map(([peer, label]) => {
    const backlog = results.backlog(peer)
    const late = results.lateness(peer)
    return [
      label,
      optional(backlog?.mostWaiting, value => value.toFixed(0)),
      optional(backlog?.peakHeapGrowthMb, oneDecimal),
      optional(backlog?.liveHeapGrowthMb, oneDecimal),
      late ? `${[late.p50Ms, late.p99Ms, late.maxMs].map(oneDecimal).join(' / ')} (${late.runMs.toFixed(0)})` : none,
      idleCell(results, peer, 'WL-11@1000'),
      idleCell(results, peer, 'WL-11@100000'),
    ]
  })
  return table(otherColumns, [...rows, recordedRow()])
}

function idleCell(results: Results, peer: PeerId, id: 'WL-11@1000' | 'WL-11@100000'): string {
  const idle = results.idle(peer, id)
  return idle ? `${oneDecimal(idle.processorUsEach)} / ${idle.heapBytesEach.toFixed(0)}` : none
}

function recordedRow(): string[] {
  const { backlog, latenessP99Ms, latenessMaxMs, idleUsEach, idleBytesEach } = genstageRecordedOther
  const idle = (pairs: 1_000 | 100_000) => `${oneDecimal(idleUsEach[pairs])} / ${idleBytesEach[pairs]}`
  const late = `${none} / ${oneDecimal(latenessP99Ms)} / ${oneDecimal(latenessMaxMs)}`
  return [recordedLabel, String(backlog), none, none, late, idle(1_000), idle(100_000)]
}

/** The goals of what was run. */
function goalTable(results: Results): string {
  const rows = goals
    .filter(goal => goal.value(results) !== undefined)
    .map(goal => [goal.name, optional(goal.value(results)), verdict(goal, 'good', results), verdict(goal, 'moonshot', results)])
  return table(['goal', 'measured', 'good', 'moonshot'], rows)
}

function verdict(goal: Goal, level: 'good' | 'moonshot', results: Results): string {
  const wanted = goal[level]
  if (wanted === undefined) return none
  const reached = isReached(goal, level, results)
  const sign = goal.sense === 'at least' ? '≥' : '≤'
  return `${sign} ${wanted}: ${reached === undefined ? 'not run' : reached ? 'reached' : 'missed'}`
}

function optional(value: number | undefined, format: (value: number) => string = number): string {
  return value === undefined ? none : format(value)
}

function oneDecimal(value: number): string {
  return value.toFixed(1)
}
