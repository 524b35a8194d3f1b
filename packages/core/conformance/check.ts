/** Replays one entry and judges it. */
import { differences } from './compare.ts'
import { replay } from './replay.ts'
import type { Entry, Trace } from './scenario.ts'

/** What came of an entry. One without a trace to compare with is replayed nevertheless: it must come to an end. */
type Verdict =
  | { readonly type: 'passed' }
  | { readonly type: 'not compared'; readonly why: string }
  | { readonly type: 'failed'; readonly lines: readonly string[] }

/** The trace that the port has to match; null where its outcome depends on scheduling. */
function expectedTrace({ trace, deviation }: Entry): Trace | null {
  return deviation ? deviation.trace : trace
}

/** Never rejects: a scenario that cannot be replayed to its end has failed. */
export async function check(entry: Entry): Promise<Verdict> {
  const { scenario, deviation } = entry
  const expected = expectedTrace(entry)
  try {
    const actual = await replay(scenario)
    if (!expected) return { type: 'not compared', why: deviation && 'why' in deviation ? deviation.why : 'no trace' }
    const lines = differences(scenario, expected, actual)
    return lines.length === 0 ? { type: 'passed' } : { type: 'failed', lines: [...headOf(entry), ...lines] }
  } catch (error) {
    return { type: 'failed', lines: [...headOf(entry), `could not be replayed: ${String(error)}`] }
  }
}

/** The rule that the scenario shows, and those by which we differ from the reference. */
function headOf({ scenario: { why }, deviation }: Entry): readonly string[] {
  return [...(why ? [why] : []), ...(deviation ? [`deviation by ${deviation.rules.join(', ')}`] : [])]
}
