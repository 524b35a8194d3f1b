/** What a cell hands over. */
export type Figures = RateFigures | LatencyFigures | BacklogFigures | ImportFigures | InstallFigures

/** The counted run of one process. */
export interface RateFigures {
  readonly kind: 'rate'
  readonly jobs: number
  readonly ms: number
}

/** From the call that adds a job to the beginning of its handler, while nothing else is to do. */
export interface LatencyFigures {
  readonly kind: 'latency'
  readonly samplesMs: readonly number[]
}

/** The same jobs processed with nothing behind them, before and after, and with a backlog: jobs per second, run by run. */
export interface BacklogFigures {
  readonly kind: 'backlog'
  readonly backlog: number
  readonly fillPerSecond: number
  readonly empty: readonly number[]
  readonly full: readonly number[]
}

/** What importing a package costs, process by process. */
export interface ImportFigures {
  readonly kind: 'import'
  readonly ms: readonly number[]
  /** Growth of the resident memory. */
  readonly megabytes: readonly number[]
}

/** From an empty folder to the first job that is done. */
export type InstallFigures =
  | {
      readonly kind: 'install'
      readonly installMs: number
      readonly firstJobMs: number
      readonly packages: number
      /** Packages that wanted to run something while they were installed. */
      readonly installScripts: readonly string[]
    }
  | { readonly kind: 'install'; readonly skipped: string }
