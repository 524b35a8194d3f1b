import type { Cell } from './cell-request.ts'
import { CellFailed, runCell, type ProcessOptions } from './run-cell.ts'

/** Where the progress of a run is written: a line per cell. */
export interface Progress {
  begin(cell: Cell, position: number, total: number): void
  end(cell: Cell, outcome: unknown): void
}

/** The figures of one cell, one element per process, and what went wrong in others. */
export interface CellResult<Figures> extends Cell {
  readonly figures: Figures[]
  readonly failures: string[]
}

export interface Plan extends ProcessOptions {
  readonly cells: readonly Cell[]
  readonly module: string
  readonly settings: unknown
  /** Processes per cell: the number of rounds. */
  processes(cell: Cell): number
  readonly progress: Progress
}

/**
 * Runs all cells, workload by workload. The peers of one workload take turns, round after round, so that a busy minute of the
 * machine meets all of them alike. A cell that failed once is not tried again.
 */
export async function runCells<Figures>(plan: Plan): Promise<CellResult<Figures>[]> {
  const turns = inTurns(plan.cells, plan.processes)
  const results = new Map<Cell, CellResult<Figures>>()
  for (const [index, cell] of turns.entries()) {
    const result = results.get(cell) ?? { ...cell, figures: [], failures: [] }
    results.set(cell, result)
    if (result.failures.length > 0) continue
    plan.progress.begin(cell, index + 1, turns.length)
    try {
      const figures = await runCell<Figures>({ ...cell, module: plan.module, settings: plan.settings }, plan)
      result.figures.push(figures)
      plan.progress.end(cell, figures)
    } catch (error) {
      if (!(error instanceof CellFailed)) throw error
      result.failures.push(error.message)
      plan.progress.end(cell, error)
    }
  }
  return [...results.values()]
}

function inTurns(cells: readonly Cell[], processes: (cell: Cell) => number): Cell[] {
  const byWorkload = new Map<string, Cell[]>()
  for (const cell of cells) byWorkload.set(cell.workload, [...(byWorkload.get(cell.workload) ?? []), cell])
  return [...byWorkload.values()].flatMap(group => {
    const rounds = Math.max(...group.map(processes))
    return Array.from({ length: rounds }, (_, round) => group.filter(cell => processes(cell) > round)).flat()
  })
}
