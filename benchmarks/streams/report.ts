import { rateOf } from '../core/results.ts'
import type { RateFigures } from '../harness/measure-rate.ts'
import type { CellResult } from '../harness/run-cells.ts'
import { median, medianInterval, type Interval } from '../harness/statistics.ts'
import { number, table } from '../harness/table.ts'
import type { Subject, Way } from './subject.ts'

type Cells = readonly CellResult<RateFigures>[]

const none = '-'

/** What stages cost, subject by subject, as Markdown. */
export function report(cells: Cells, subjects: Readonly<Record<string, Subject>>): string {
  const rounds = Math.max(0, ...cells.map(cell => cell.figures.length))
  const tables = Object.entries(subjects).flatMap(([id, { title, comparisons }]) => [
    `### ${title}`,
    table(
      ['what', 'times the direct way', 'direct', 'stages'],
      Object.entries(comparisons).map(([name, { what }]) => rowOf(cells, `${id}/${name}`, what)),
    ),
  ])
  return [sentence(rounds), ...tables].join('\n\n')
}

/** How many times as much processor time stages take as the direct way, round by round. */
function ratioOf(cells: Cells, workload: string): Interval | undefined {
  const [direct, stages] = [ratesOf(cells, 'direct', workload), ratesOf(cells, 'stages', workload)]
  const pairs = direct.flatMap((rate, round) => {
    const other = stages[round]
    return other === undefined ? [] : [rate / other]
  })
  return pairs.length === 0 ? undefined : medianInterval(pairs)
}

function rowOf(cells: Cells, workload: string, what: string): readonly string[] {
  const ratio = ratioOf(cells, workload)
  const cost = ratio === undefined ? none : `${ratio.median.toFixed(2)} (${ratio.from.toFixed(2)} to ${ratio.to.toFixed(2)})`
  return [what, cost, ...(['direct', 'stages'] as const).map(way => rateCell(ratesOf(cells, way, workload)))]
}

function ratesOf(cells: Cells, way: Way, workload: string): readonly number[] {
  const cell = cells.find(each => each.peer === way && each.workload === workload)
  // After a failure the rounds of the other have no partner any more
  return cell === undefined || cell.failures.length > 0 ? [] : cell.figures.map(figures => rateOf(figures, 'processor'))
}

/** Thousands per second. */
function rateCell(rates: readonly number[]): string {
  return rates.length === 0 ? none : number(median(rates) * 1_000)
}

function sentence(rounds: number): string {
  return [
    `How many times the processor time of the direct way the same work takes with stages: the median of ${rounds} pairs of processes that took`,
    'turns, with its interval. Beside it are the rates: thousand chunks or objects per second of processor time.',
  ].join('\n')
}
