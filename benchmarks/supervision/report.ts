import { rateOf } from '../core/results.ts'
import type { RateFigures } from '../harness/measure-rate.ts'
import type { CellResult } from '../harness/run-cells.ts'
import { median, medianInterval, type Interval } from '../harness/statistics.ts'
import { number, table } from '../harness/table.ts'
import { comparisons, variants, variantIds, type Comparison, type VariantId } from './variants.ts'

type Cells = readonly CellResult<RateFigures>[]

const none = '-'

/** What each thing costs, and the rates behind it, as Markdown. */
export function report(cells: Cells): string {
  const workloads = [...new Set(cells.map(cell => cell.workload))]
  const costs = comparisons.map(each => [each.what, ...workloads.map(id => costCell(costOf(cells, each, id)))])
  const rates = variantIds.map(id => [variants[id], ...workloads.map(workload => rateCell(cells, id, workload))])
  return [
    '### How much slower a pipeline is with it',
    sentence(cells),
    table(['what', ...workloads], costs),
    '### Million events per second of processor time',
    table(['pipeline', ...workloads], rates),
  ].join('\n\n')
}

/** How much slower the workload is with it than without, as a share, round by round: 0.01 is one percent. */
export function costOf(cells: Cells, { with: own, without }: Comparison, workload: string): Interval | undefined {
  const [dearer, cheaper] = [ratesOf(cells, own, workload), ratesOf(cells, without, workload)]
  const pairs = dearer.flatMap((rate, round) => {
    const other = cheaper[round]
    return other === undefined ? [] : [1 - rate / other]
  })
  return pairs.length === 0 ? undefined : medianInterval(pairs)
}

function ratesOf(cells: Cells, variant: VariantId, workload: string): readonly number[] {
  const cell = cells.find(each => each.peer === variant && each.workload === workload)
  // After a failure the rounds of the others have no partner any more
  return cell === undefined || cell.failures.length > 0 ? [] : cell.figures.map(figures => rateOf(figures, 'processor'))
}

function rateCell(cells: Cells, variant: VariantId, workload: string): string {
  const rates = ratesOf(cells, variant, workload)
  return rates.length === 0 ? none : number(median(rates))
}

function costCell(cost: Interval | undefined): string {
  return cost === undefined ? none : `${percent(cost.median)} (${percent(cost.from)} to ${percent(cost.to)})`
}

function percent(share: number): string {
  const text = (share * 100).toFixed(1)
  return `${text === '-0.0' ? '0.0' : text.replace('-', '−')} %`
}

function sentence(cells: Cells): string {
  const rounds = Math.max(0, ...cells.map(cell => cell.figures.length))
  const values = Array.from({ length: rounds }, (_, round) => round)
  const certainty = rounds === 0 ? 0 : medianInterval(values).certainty
  return [
    `Each figure is the median of ${rounds} pairs of processes that took turns, by processor time. In brackets is the interval that`,
    `holds the true median with a certainty of ${(certainty * 100).toFixed(0)} %. Where it holds 0 no difference was seen, and below 0 it was faster.`,
  ].join('\n')
}
