import type { RateFigures } from '../harness/measure-rate.ts'
import type { CellResult } from '../harness/run-cells.ts'
import { median, spread, type Spread } from '../harness/statistics.ts'
import type { Figures } from './measure.ts'
import type { PeerId } from './peers/index.ts'
import type { RateId, WorkloadId } from './workloads.ts'

/** By which clock a rate is read. */
export type Time = 'processor' | 'wall'

type FiguresOf<Kind> = Extract<Figures, { readonly kind: Kind }>

/** What was measured, by peer and workload. What was not run, or failed, is undefined. */
export class Results {
  readonly cells: readonly CellResult<Figures>[]

  constructor(cells: readonly CellResult<Figures>[]) {
    this.cells = cells
  }

  /** Million source events per second: the median run of each process, and of these the median, the lowest and the highest. */
  rate(peer: PeerId, workload: RateId, time: Time = 'processor'): Spread | undefined {
    const processes = this.#figures(peer, workload, 'rate')
    return processes.length === 0 ? undefined : spread(processes.map(figures => rateOf(figures, time)))
  }

  /** The rate of one peer divided by that of another. */
  ratio(peer: PeerId, other: PeerId, workload: RateId): number | undefined {
    const own = this.rate(peer, workload)
    const theirs = this.rate(other, workload)
    return own && theirs && own.median / theirs.median
  }

  backlog(peer: PeerId): FiguresOf<'backlog'> | undefined {
    return this.#figures(peer, 'WL-9', 'backlog')[0]
  }

  lateness(peer: PeerId): FiguresOf<'lateness'> | undefined {
    return this.#figures(peer, 'WL-10', 'lateness')[0]
  }

  idle(peer: PeerId, workload: 'WL-11@1000' | 'WL-11@100000'): FiguresOf<'idle'> | undefined {
    return this.#figures(peer, workload, 'idle')[0]
  }

  failures(): string[] {
    return this.cells.flatMap(cell => cell.failures)
  }

  failed(peer: PeerId, workload: WorkloadId): boolean {
    return (this.#cell(peer, workload)?.failures.length ?? 0) > 0
  }

  #cell(peer: PeerId, workload: WorkloadId): CellResult<Figures> | undefined {
    return this.cells.find(cell => cell.peer === peer && cell.workload === workload)
  }

  #figures<Kind extends Figures['kind']>(peer: PeerId, workload: WorkloadId, kind: Kind): FiguresOf<Kind>[] {
    const isOfKind = (figures: Figures): figures is FiguresOf<Kind> => figures.kind === kind
    return (this.#cell(peer, workload)?.figures ?? []).filter(isOfKind)
  }
}

/** Million events per second in the median run of one process. */
export function rateOf({ count, runs }: RateFigures, time: Time): number {
  const milliseconds = median(runs.map(run => (time === 'processor' ? run.processorMs : run.wallMs)))
  return count / milliseconds / 1_000
}
