import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeSection } from '../../../benchmarks/harness/write-section.ts'
import { bundleProgram } from './bundle.ts'
import type { Options } from './options.ts'
import { jsonLine, rowText, tables } from './report.ts'
import { isClean, type Result, runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'

/** Where the text goes, and whether to go on. */
export interface Output {
  say(text: string): void
  /** Whether a line can be written over: a terminal. */
  readonly isLive: boolean
  readonly signal: AbortSignal
}

const page = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url))
/** So many violations of one fault are printed. */
const mostPrinted = 10
const longest = 600
/** Milliseconds between two lines of progress where lines cannot be written over. */
const msPerLine = 30_000

/** Runs what was asked for. Answers the exit code. */
export async function runAll(options: Options, { say, isLive, signal }: Output): Promise<number> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  const chosen = scenarios.filter(({ id }) => options.only?.includes(id) ?? true)
  say(`seed ${seed}\n`)
  const program = await bundleProgram()
  const results: Result[] = []
  try {
    for (const scenario of chosen) {
      if (signal.aborted) break
      let saidAt = performance.now()
      const onRound = (done: number, of: number): void => {
        if (isLive) return say(`\r${scenario.id} ${done} of ${of}\u001B[K`)
        if (performance.now() - saidAt < msPerLine) return
        saidAt = performance.now()
        say(`${scenario.id} ${done} of ${of}\n`)
      }
      const result = await runScenario(scenario, { rounds: options.rounds, seed, program: program.path, signal, onRound })
      results.push(result)
      say(`${isLive ? '\r\u001B[K' : ''}${rowText(result)}\n`)
      for (const violation of result.tally.violations.slice(0, mostPrinted)) say(`    ${violation.slice(0, longest)}\n`)
      if (options.json !== undefined) appendFileSync(options.json, `${jsonLine(result)}\n`)
    }
  } finally {
    program.remove()
  }
  if (options.write && !signal.aborted) writeSection(page, 'faults-embedded', tables(results, seed), 'Reliability')
  const bad = results.filter(({ tally }) => !isClean(tally))
  say(
    bad.length === 0
      ? `Nothing was lost, and nothing ran twice that must not.${signal.aborted ? ' Stopped early.' : ''}\n`
      : `Failed: ${bad.map(({ id }) => id).join(', ')}. Again: npm run faults -- embedded --only ${bad.map(({ id }) => id).join(',')} --seed ${seed}\n`,
  )
  return bad.length === 0 ? 0 : 1
}
