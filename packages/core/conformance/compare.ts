/** Compares two traces, and says readably where they part. */
import type { Observation, Observations, Scenario, Trace } from './scenario.ts'

/** The start, or a step: what came of it, and what was observed. */
interface Part {
  readonly title: string
  readonly expected: Outcome | undefined
  readonly actual: Outcome | undefined
}

interface Outcome {
  readonly result: unknown
  readonly obs: Observations
}

/** Longer lines are cut, around the place that matters. */
const maxWidth = 160
/** So much of a cut line stands before that place. */
const lead = 60
/** So many observations are shown on each side of the first that differs. */
const around = 20

/** Where the actual trace differs from the expected one, in lines; none if they are equal. The rest often follows from the first place, so only that is shown in full. */
export function differences(scenario: Scenario, expected: Trace, actual: Trace): readonly string[] {
  const [first, ...others] = partsOf(scenario, expected, actual).filter(part => !isEqual(part.expected, part.actual))
  if (!first) return []
  const more = others.length > 0 ? [`also different: ${others.map(({ title }) => title.split(' {')[0]).join(', ')}`] : []
  return [first.title, ...describe(first).map(indent), ...more]
}

function partsOf({ steps }: Scenario, expected: Trace, actual: Trace): readonly Part[] {
  const count = Math.max(expected.steps.length, actual.steps.length)
  return [
    { title: 'start', expected: startOf(expected), actual: startOf(actual) },
    ...Array.from({ length: count }, (_, index) => ({
      title: `step ${index} ${JSON.stringify(steps[index] ?? {})}`,
      expected: expected.steps[index],
      actual: actual.steps[index],
    })),
  ]
}

function startOf({ start: { results, obs } }: Trace): Outcome {
  return { result: results, obs }
}

function describe({ expected, actual }: Part): readonly string[] {
  if (!expected || !actual) return [expected ? 'expected, but missing' : 'not expected']
  const result = isEqual(expected.result, actual.result)
    ? []
    : [`result: expected ${JSON.stringify(expected.result)}, actual ${JSON.stringify(actual.result)}`]
  const stages = [...new Set([...Object.keys(expected.obs), ...Object.keys(actual.obs)])]
  return [...result, ...stages.flatMap(stage => describeStage(stage, expected.obs[stage] ?? [], actual.obs[stage] ?? []))]
}

/** Both lists of a stage, with an arrow at the first observation that differs. */
function describeStage(stage: string, expected: readonly Observation[], actual: readonly Observation[]): readonly string[] {
  if (isEqual(expected, actual)) return []
  const place = expected.findIndex((observation, index) => !isEqual(observation, actual[index]))
  const index = place < 0 ? expected.length : place
  const [wanted, got] = [lineOf(expected[index]), lineOf(actual[index])]
  const column = firstDifference(wanted, got)
  const list = (observations: readonly Observation[], marked: string) => [
    ...leftOut(index - around, 'before'),
    ...plain(observations.slice(Math.max(0, index - around), index)),
    `  > ${cut(marked, column)}`,
    ...plain(observations.slice(index + 1, index + 1 + around)),
    ...leftOut(observations.length - index - 1 - around, 'after'),
  ]
  return [`${stage} expected:`, ...list(expected, wanted), `${stage} actual:`, ...list(actual, got)]
}

function plain(observations: readonly Observation[]): readonly string[] {
  return observations.map(observation => `    ${cut(lineOf(observation), 0)}`)
}

function leftOut(count: number, where: 'before' | 'after'): readonly string[] {
  return count > 0 ? [`    … ${count} more ${where}`] : []
}

function lineOf(observation: Observation | undefined): string {
  return observation ? JSON.stringify(observation) : '(nothing more)'
}

function firstDifference(left: string, right: string): number {
  let column = 0
  while (column < left.length && left[column] === right[column]) column++
  return column
}

function cut(line: string, column: number): string {
  if (line.length <= maxWidth) return line
  const from = Math.max(0, Math.min(column - lead, line.length - maxWidth))
  const to = from + maxWidth
  return `${from > 0 ? '…' : ''}${line.slice(from, to)}${to < line.length ? '…' : ''}`
}

function indent(line: string): string {
  return `  ${line}`
}

/** Deep equality of what JSON can say. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const [leftEntries, rightFields] = [Object.entries(left), new Map<string, unknown>(Object.entries(right))]
  return (
    leftEntries.length === rightFields.size &&
    leftEntries.every(([key, value]) => rightFields.has(key) && isEqual(value, rightFields.get(key)))
  )
}
