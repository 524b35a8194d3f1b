import type { CellResult } from '../harness/run-cells.ts'
import { median, spread } from '../harness/statistics.ts'
import { number, table } from '../harness/table.ts'
import type { WorkersFigures } from './measure.ts'
import { heavy, light } from './workloads.ts'

type Cells = readonly CellResult<WorkersFigures>[]

const none = '-'

/** What is compared for work that keeps a processor busy: the consumer here, and on threads with two batches under way. */
export const heavyPeers = ['0@2', '1@2', '2@2'] as const
/** For the way to a thread: here, and on one thread with few and with many batches under way. */
export const lightPeers = ['0@2', '1@2', '1@16'] as const

/** Both tables, as Markdown. */
export function report(cells: Cells): string {
  const heavyRows = Object.entries(heavy).map(([id, { title }]) => {
    const [here, one, two] = heavyPeers.map(peer => rateOf(cells, peer, id))
    return [title, shown(here, 1e3), shown(one, 1e3), shown(two, 1e3), ratio(two, one), ratio(two, here)]
  })
  const lightRows = Object.entries(light).map(([id, { title }]) => {
    const [here, few, many] = lightPeers.map(peer => rateOf(cells, peer, id))
    return [title, shown(here, 1e6), shown(few, 1e6), shown(many, 1e6), many === undefined ? none : number(1e6 / many)]
  })
  return [
    '### Work for a processor: thousand events per second',
    table(['a consumer that has to', 'here', 'one thread', 'two threads', 'two : one', 'two : here'], heavyRows),
    '### The way to a thread: million events per second',
    table(['events', 'here', '2 batches under way', '16 batches under way', 'μs per event'], lightRows),
  ].join('\n\n')
}

/** Events per second by the wall clock: the median of the processes, and of each the median run. */
function rateOf(cells: Cells, peer: string, workload: string): number | undefined {
  const cell = cells.find(each => each.peer === peer && each.workload === workload)
  if (cell === undefined || cell.figures.length === 0 || cell.failures.length > 0) return undefined
  return spread(cell.figures.map(processRate)).median
}

/** Events per second of one process. */
export function processRate({ count, wallMs }: WorkersFigures): number {
  return (count * 1_000) / median(wallMs)
}

function shown(rate: number | undefined, unit: number): string {
  return rate === undefined ? none : number(rate / unit)
}

function ratio(rate: number | undefined, to: number | undefined): string {
  return rate === undefined || to === undefined ? none : number(rate / to)
}
