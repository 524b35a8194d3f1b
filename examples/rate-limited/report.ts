import { bar, fit, grouped } from '../shared/layout.ts'
import type { RequestWindow } from './request-window.ts'

/** All that is told at the end. */
export interface Results {
  readonly limit: number
  readonly perMs: number
  readonly answers: number
  readonly refused: number
  /** As the service counted them. */
  readonly requests: Omit<RequestWindow, 'begin' | 'end'>
  readonly ms: number
  readonly interrupted: boolean
}

/** The results for programs. */
export function asJson({ answers, refused, requests, ms, interrupted }: Results): string {
  const { times, violations, most, mostAtOnce } = requests
  return JSON.stringify({
    requests: times.length,
    answers,
    refused,
    violations,
    most,
    mostAtOnce,
    ms: Math.round(ms),
    ...(interrupted && { interrupted }),
  })
}

/** The results for people, in lines of at most `width` columns. */
export function asText(results: Results, width: number): string {
  const sections = [figures(results), timeline(results, width)]
  if (results.interrupted) sections.unshift(['interrupted: the requests so far'])
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${fit(line, width)}\n`).join(''))
    .join('\n')
}

function figures({ limit, perMs, answers, refused, requests, ms }: Results): string[] {
  const rows: readonly (readonly [string, number, string])[] = [
    ['answers', answers, `(${grouped(answers / (Math.max(ms, 1) / 1000))} a second)`],
    ['refused', refused, ''],
    ['too fast', requests.violations, ''],
    ['at most', requests.most, `in any ${grouped(perMs)} ms; ${grouped(limit)} are allowed`],
    ['at once', requests.mostAtOnce, 'at most'],
    ['time', ms, 'ms'],
  ]
  const countWidth = Math.max(...rows.map(([, count]) => grouped(count).length))
  return rows.map(([label, count, note]) => `  ${label.padEnd(8)}  ${grouped(count).padStart(countWidth)} ${note}`.trimEnd())
}

/** How many requests came in each stretch of time; a mark stands where the limit is. */
function timeline({ limit, perMs, requests: { times } }: Results, width: number): string[] {
  const [first = 0, last = first] = [times[0], times.at(-1)]
  const stretchOf = (time: number) => Math.floor((time - first) / perMs)
  const counts = Array.from({ length: times.length === 0 ? 0 : stretchOf(last) + 1 }, () => 0)
  for (const time of times) counts[stretchOf(time)] = (counts[stretchOf(time)] ?? 0) + 1
  const most = Math.max(limit, ...counts)
  const fromWidth = grouped(counts.length * perMs).length
  const countWidth = grouped(most).length
  const barWidth = Math.max(4, Math.min(40, width - fromWidth - countWidth - 10))
  return counts.slice(0, 40).map((count, stretch) => {
    const row = `  ${grouped(stretch * perMs).padStart(fromWidth)} ms  ${grouped(count).padStart(countWidth)}  `
    const mark = Math.round((limit / most) * barWidth)
    return `${row}${bar(count / most, barWidth).padEnd(mark)}${count > limit ? '' : '|'}`
  })
}
