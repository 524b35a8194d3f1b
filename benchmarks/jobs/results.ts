import type { CellResult } from '../harness/run-cells.ts'
import { median, percentile } from '../harness/statistics.ts'
import type { BacklogFigures, Figures, ImportFigures, InstallFigures } from './figures.ts'
import type { SystemId } from './systems/index.ts'
import type { RateId, WorkloadId } from './workloads.ts'

/** Jobs per second: the run in the middle, and the best, which is nearer to what the software can do on a machine that others use too. */
export interface Rate {
  readonly median: number
  readonly best: number
}

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly samples: number
}

/** The figures of a run, looked up by system and workload. Undefined is what was not run, or failed. */
export class Results {
  readonly #cells: readonly CellResult<Figures>[]

  constructor(cells: readonly CellResult<Figures>[]) {
    this.#cells = cells
  }

  get failures(): readonly string[] {
    return this.#cells.flatMap(cell => cell.failures)
  }

  has(workload: WorkloadId): boolean {
    return this.#cells.some(cell => cell.workload === workload)
  }

  failed(system: SystemId, workload: WorkloadId): boolean {
    return (this.#cell(system, workload)?.failures.length ?? 0) > 0
  }

  rate(system: SystemId, workload: RateId): Rate | undefined {
    const rates = this.#figures(system, workload, 'rate').map(({ jobs, ms }) => (jobs * 1_000) / ms)
    return rates.length === 0 ? undefined : { median: median(rates), best: Math.max(...rates) }
  }

  /** Ours divided by theirs, by the median runs; of several configurations by the fastest. */
  ratio(workload: RateId, ...others: readonly SystemId[]): number | undefined {
    const own = this.rate('genstage', workload)
    const theirs = others.flatMap(other => this.rate(other, workload)?.median ?? [])
    return own === undefined || theirs.length === 0 ? undefined : own.median / Math.max(...theirs)
  }

  latency(system: SystemId): Latency | undefined {
    const samples = this.#figures(system, 'idle-latency', 'latency').flatMap(figures => figures.samplesMs)
    if (samples.length === 0) return undefined
    return { p50Ms: median(samples), p99Ms: percentile(samples, 0.99), samples: samples.length }
  }

  backlog(system: SystemId): BacklogFigures | undefined {
    return this.#figures(system, 'backlog', 'backlog')[0]
  }

  /** The share of its own rate that a system keeps with a backlog. */
  keptWithBacklog(system: SystemId): number | undefined {
    const figures = this.backlog(system)
    return figures && median(figures.full) / median(figures.empty)
  }

  import(system: SystemId): Omit<ImportFigures, 'kind'> | undefined {
    const figures = this.#figures(system, 'import', 'import')
    if (figures.length === 0) return undefined
    return { ms: figures.flatMap(({ ms }) => ms), megabytes: figures.flatMap(({ megabytes }) => megabytes) }
  }

  /** Our cost of being imported divided by theirs, by the medians. */
  importRatio(of: 'ms' | 'megabytes', other: SystemId): number | undefined {
    const [own, theirs] = [this.import('genstage'), this.import(other)]
    return own && theirs && median(own[of]) / median(theirs[of])
  }

  /** Installing and the first job, one element per process. */
  installs(): readonly InstallFigures[] {
    return this.#figures('genstage', 'fresh-machine', 'install')
  }

  #cell(system: SystemId, workload: WorkloadId): CellResult<Figures> | undefined {
    return this.#cells.find(cell => cell.peer === system && cell.workload === workload)
  }

  #figures<Kind extends Figures['kind']>(
    system: SystemId,
    workload: WorkloadId,
    kind: Kind,
  ): readonly Extract<Figures, { kind: Kind }>[] {
    if (this.failed(system, workload)) return []
    const figures = this.#cell(system, workload)?.figures ?? []
    return figures.filter((each): each is Extract<Figures, { kind: Kind }> => each.kind === kind)
  }
}
