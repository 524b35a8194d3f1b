/** A few rounds of every fault that fits into a test run. All of them: `npm run faults -- embedded`. */
import { afterAll, describe, expect, it } from 'vitest'
import { bundleProgram } from '../../faults/bundle.ts'
import { isClean, runScenario } from '../../faults/run-scenario.ts'
import { scenarios } from '../../faults/scenarios.ts'

const seed = 20_261_122
/** Each takes a second or two. F32 has tests of its own (sqlite-faults). */
const rounds: Readonly<Record<string, number>> = {
  F1: 8,
  F2: 3,
  F3: 4,
  F4: 3,
  F5: 3,
  F6: 4,
  F7: 1,
  F8: 4,
  F9: 20,
  F10: 2,
  F11: 3,
  F12: 1,
  F13: 4,
  F14: 2,
  F15: 3,
  F31: 50,
  F33: 2,
  F34: 8,
  F36: 10,
  F37: 8,
  F38: 4,
  F39: 1,
  F43: 1,
  F44: 1,
}

const program = await bundleProgram()
afterAll(() => program.remove())

describe(`faults of the embedded store, seed ${seed}`, () => {
  const chosen = scenarios.filter(({ id }) => rounds[id] !== undefined)
  it.each(chosen)('$id $fault', { timeout: 60_000 }, async scenario => {
    const { signal } = new AbortController()
    const options = { rounds: rounds[scenario.id], seed, program: program.path, signal, isShort: true }
    const { tally, rounds: done } = await runScenario(scenario, options)
    expect(tally.violations).toEqual([])
    expect(isClean(tally)).toBe(true)
    expect(done).toBeGreaterThan(0)
  })
})
