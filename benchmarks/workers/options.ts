import { parseArgs } from 'node:util'
import type { WorkersSettings } from './measure.ts'

/** What the command line asks for. */
export interface WorkersOptions {
  readonly settings: WorkersSettings
  /** Processes of each cell. */
  readonly processes: number
  readonly json: string | undefined
  readonly write: boolean
}

export const usage = `npm run bench -- workers [--quick] [--json FILE] [--write]

  --quick   short runs, one process per cell: half a minute, a rough look
  --json    all figures, run by run, into a file
  --write   the tables into docs/performance.md`

const full = { settings: { targetMs: 500, runs: 5 }, processes: 3 }
const quick = { settings: { targetMs: 150, runs: 3 }, processes: 1 }

export function parseWorkersOptions(args: readonly string[]): WorkersOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  })
  return { ...(values.quick ? quick : full), json: values.json, write: values.write }
}
