import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@genstage/testing'
import type { Scenario } from './scenario.ts'
import { emptyTally, type Tally } from './tally.ts'

/** What became of one scenario: a row of the table. */
export interface Result {
  readonly id: string
  readonly fault: string
  readonly rounds: number
  readonly seed: number
  readonly seconds: number
  readonly seen: string
  readonly tally: Tally
}

/** How to run one. */
export interface RunOptions {
  readonly rounds: number | undefined
  readonly seed: number
  readonly program: string
  readonly signal: AbortSignal
  readonly isShort?: boolean
  readonly onRound?: (done: number, of: number) => void
}

/** Whether nothing was lost, and nothing happened that must not. */
export function isClean({ lost, unexpected, forbiddenDuplicates, violations }: Tally): boolean {
  return lost + unexpected + forbiddenDuplicates + violations.length === 0
}

/** Runs a scenario in a folder of its own. What it throws is a violation too: it could not be carried out. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const { id, fault } = scenario
  const rounds = Math.max(scenario.leastRounds ?? 1, options.rounds ?? scenario.rounds)
  const folder = mkdtempSync(join(tmpdir(), `genstage-${id}-`))
  const begun = performance.now()
  let done = 0
  const outcome = await (async () => {
    try {
      return await scenario.run({
        rounds,
        folder,
        random: seededRandom(options.seed + Number(id.slice(1))),
        program: options.program,
        signal: options.signal,
        isShort: options.isShort ?? false,
        passed: () => options.onRound?.(++done, rounds),
      })
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { tally: { ...emptyTally(), violations: [`${id}: the run broke off: ${what}`] }, seen: 'broke off', rounds: done }
    }
  })()
  await rm(folder, { recursive: true, force: true })
  const { tally, seen, rounds: run = options.signal.aborted ? done : rounds } = outcome
  return { id, fault, rounds: run, seed: options.seed, seconds: (performance.now() - begun) / 1_000, seen, tally }
}
