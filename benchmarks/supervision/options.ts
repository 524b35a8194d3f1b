import { parseArgs } from 'node:util'
import type { RateSettings } from '../harness/measure-rate.ts'
import { compared, type ComparedId } from './pipelines.ts'

/** What the command line asks for. */
export interface SupervisionOptions {
  readonly settings: RateSettings
  /** Processes of each variant: so many pairs are compared. */
  readonly rounds: number
  readonly workloads: readonly ComparedId[]
  readonly json: string | undefined
  readonly write: boolean
}

export const usage = `npm run bench -- supervision [--quick] [--only WL-1] [--rounds 12] [--json FILE] [--write]

  --quick   short runs and six rounds: the right order of magnitude in two minutes
  --only    these workloads: ${compared.join(', ')}
  --rounds  how many pairs of processes are compared; default 12
  --json    all figures, run by run, into a file
  --write   the tables into docs/performance.md`

const full = { settings: { targetMs: 250, runs: 5 }, rounds: 12 }
const quick = { settings: { targetMs: 100, runs: 3 }, rounds: 6 }

export function parseSupervisionOptions(args: readonly string[]): SupervisionOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  })
  const { settings, rounds } = values.quick ? quick : full
  return {
    settings,
    rounds: values.rounds === undefined ? rounds : checkedRounds(values.rounds),
    workloads: values.only === undefined ? compared : chosen(values.only),
    json: values.json,
    write: values.write,
  }
}

function checkedRounds(text: string): number {
  const rounds = Number(text)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds ${text}: not a whole number from 1\n\n${usage}`)
  return rounds
}

function chosen(list: string): readonly ComparedId[] {
  const wanted = list.split(',').map(name => name.trim())
  const unknown = wanted.find(name => !compared.some(id => id === name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such workload\n\n${usage}`)
  return compared.filter(id => wanted.includes(id))
}
