/** One figure of a table: one peer at one workload. */
export interface Cell {
  readonly peer: string
  readonly workload: string
}

/** What the process of a cell is told, as JSON on its command line. */
export interface CellRequest extends Cell {
  /** URL of the module that measures. */
  readonly module: string
  readonly settings: unknown
}

/** What that module exports. */
export interface CellModule {
  measure(request: CellRequest): Promise<unknown>
}

/** The file descriptor on which a cell hands over its figures; the standard output is free for whatever is measured. */
export const figuresPipe = 3
