import { parseArgs } from 'node:util'
import type { RateSettings } from '../harness/measure-rate.ts'
import { subjectIds } from './subject.ts'

/** What the command line asks for. */
export interface StreamsOptions {
  readonly settings: RateSettings
  /** Processes of each way: so many pairs are compared. */
  readonly rounds: number
  readonly subjects: readonly string[]
  readonly json: string | undefined
  readonly write: boolean
}

export const usage = `npm run bench -- streams [--quick] [--only node] [--rounds 6] [--json FILE] [--write]

  --quick   short runs and three rounds: the right order of magnitude
  --only    these subjects: ${subjectIds.join(', ')}
  --rounds  how many pairs of processes are compared; default 6
  --json    all figures, run by run, into a file
  --write   the tables into docs/performance.md`

const full = { settings: { targetMs: 250, runs: 5 }, rounds: 6 }
const quick = { settings: { targetMs: 100, runs: 3 }, rounds: 3 }

export function parseStreamsOptions(args: readonly string[]): StreamsOptions {
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
    subjects: values.only === undefined ? subjectIds : chosen(values.only),
    json: values.json,
    write: values.write,
  }
}

function checkedRounds(text: string): number {
  const rounds = Number(text)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds ${text}: not a whole number from 1\n\n${usage}`)
  return rounds
}

function chosen(list: string): readonly string[] {
  const wanted = list.split(',').map(name => name.trim())
  const unknown = wanted.find(name => !subjectIds.includes(name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such subject\n\n${usage}`)
  return wanted
}
