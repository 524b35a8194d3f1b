import { describeMachine, machineLine } from '../../../benchmarks/harness/machine.ts'
import { percentile } from '../../../benchmarks/harness/statistics.ts'
import { table } from '../../../benchmarks/harness/table.ts'
import { isClean, type Result } from './run-scenario.ts'

/** One line for a terminal. */
export function rowText({ id, fault, rounds, seconds, seen, tally }: Result): string {
  const verdict = isClean(tally) ? 'ok    ' : 'FAILED'
  const counts = `${tally.attempts} attempts, ${tally.acknowledged} acknowledged, ${tally.lost} lost, ${tally.forbiddenDuplicates} forbidden`
  return `${id.padEnd(4)} ${verdict} ${String(rounds).padStart(5)} × ${fault}: ${seen} (${counts}, rescue ${latencies(tally.rescueMs)}, ${seconds.toFixed(1)} s)`
}

/** The same for programs. */
export function jsonLine({ tally, ...result }: Result): string {
  const { rescueMs, ...counts } = tally
  return JSON.stringify({ ...result, ...counts, ...quantiles(rescueMs), again: again(result) })
}

/** What docs/reliability.md shows. */
export function tables(results: readonly Result[], seed: number): string {
  const date = new Date().toISOString().slice(0, 10)
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
  const made = `Made by \`npm run faults -- embedded --write --seed ${seed}\` on ${date}: ${machineLine(describeMachine())}, ${Math.round(seconds / 60)} minutes.`
  const figures = results.filter(({ tally }) => tally.attempts > 0)
  return [
    made,
    '### What happened',
    textTable(
      ['fault', 'rounds', 'what was done', 'what was seen', 'violations'],
      results.map(({ id, fault, rounds, seen, tally }) => [id, String(rounds), fault, seen, String(tally.violations.length)]),
    ),
    '### What the ledger adds up to',
    table(
      [
        'fault',
        'attempts',
        'acknowledged',
        'completed',
        'lost',
        'unexpected',
        'ran again',
        'forbidden',
        'recovered',
        'stale, refused',
        'rescue p50/p99/max, ms',
      ],
      figures.map(({ id, tally }) => [
        id,
        String(tally.attempts),
        String(tally.acknowledged),
        String(tally.completed),
        String(tally.lost),
        String(tally.unexpected),
        String(tally.allowedDuplicates),
        String(tally.forbiddenDuplicates),
        String(tally.recovered),
        String(tally.staleRefused),
        latencies(tally.rescueMs),
      ]),
    ),
  ].join('\n\n')
}

/** A table of texts, laid out as prettier lays it out. */
function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function again({ id, rounds, seed }: Pick<Result, 'id' | 'rounds' | 'seed'>): string {
  return `npm run faults -- embedded --only ${id} --rounds ${rounds} --seed ${seed}`
}

function quantiles(ms: readonly number[]): Readonly<Record<string, number>> {
  if (ms.length === 0) return {}
  return { rescueP50Ms: percentile(ms, 0.5), rescueP99Ms: percentile(ms, 0.99), rescueMaxMs: percentile(ms, 1) }
}

function latencies(ms: readonly number[]): string {
  if (ms.length === 0) return '-'
  return [0.5, 0.99, 1].map(share => String(Math.round(percentile(ms, share)))).join(' / ')
}
