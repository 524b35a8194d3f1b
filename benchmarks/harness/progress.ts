import type { Cell } from './cell-request.ts'
import { CellFailed } from './run-cell.ts'
import type { Progress } from './run-cells.ts'

/** A line per cell: which one, while it runs; what came out, when it is done. */
export function lineProgress(write: (text: string) => void, describe: (figures: unknown, cell: Cell) => string): Progress {
  let begun = 0
  return {
    begin(cell, position, total) {
      begun = performance.now()
      write(`[${String(position).padStart(String(total).length)}/${total}] ${cell.workload.padEnd(13)} ${cell.peer.padEnd(26)} `)
    },
    end(cell, outcome) {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1)
      const text = outcome instanceof CellFailed ? `FAILED\n${outcome.message}` : describe(outcome, cell)
      write(`${text} (${seconds} s)\n`)
    },
  }
}
