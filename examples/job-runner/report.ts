/** What is told at the end. */
import type { Failure, StoreStats } from '@genstage/jobs'
import { bar, fit, grouped } from '../shared/layout.ts'
import type { Counts } from '../word-count/counts.ts'
import type { Attempts } from './figures.ts'
import { activeIn, doneIn, givenUpIn, sumOf, totalIn } from './state.ts'

/** A job that was given up, and what happened in each attempt. */
export interface GivenUp {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly error: Failure | undefined
  readonly history: readonly { readonly attempt: number; readonly outcome: string; readonly failure?: Failure | undefined }[]
}

/** All that is told at the end. */
export interface Results {
  readonly stats: StoreStats
  /** Files whose words are counted. */
  readonly files: number
  readonly counts: Counts
  /** Whether a direct count of the same files has found the same. Undefined: it was not made, because there is still work left. */
  readonly check: 'same' | 'different' | undefined
  /** The newest of them. */
  readonly givenUp: readonly GivenUp[]
  readonly attempts: readonly Attempts[]
  readonly rescued: number
  readonly ms: number
  readonly interrupted: boolean
}

/** The results for programs. */
export function asJson({ stats, files, counts, check, givenUp, attempts, rescued, ms, interrupted }: Results): string {
  const all = sumOf(stats)
  return JSON.stringify({
    files,
    words: counts.words,
    distinct: counts.distinct,
    top: counts.top,
    ...(check !== undefined && { check }),
    jobs: { total: totalIn(all), completed: all.completed, failed: all.failed, discarded: all.discarded, left: activeIn(all) },
    attempts: attempts.map(({ kind, queue, ended, failed }) => ({ kind, queue, ended, failed })),
    givenUp: givenUp.map(({ id, name, state, error }) => ({ id, name, state, message: error?.message })),
    rescued,
    ms: Math.round(ms),
    ...(interrupted && { interrupted }),
  })
}

/** The results for people, in lines of at most `width` columns. */
export function asText(results: Results, width: number): string {
  // Who stops it in the middle wants to know what is left, not yet what has come out
  const sections = results.interrupted
    ? [figures(results), leftOver(results.stats)]
    : [
        topWords(results.counts, width),
        figures(results),
        timesByKind(results.attempts, width),
        deadLetters(results.givenUp, sumOf(results.stats)),
      ]
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${fit(line, width)}\n`).join(''))
    .join('\n')
}

function leftOver(stats: StoreStats): string[] {
  const all = sumOf(stats)
  const queues = Object.entries(stats.queues).filter(([, queue]) => activeIn(queue) > 0)
  return [
    `  stopped: ${grouped(activeIn(all))} of ${grouped(totalIn(all))} jobs are left`,
    ...table(
      queues.map(([name, { waiting, delayed }]) => [`  ${name}`, grouped(waiting), 'waiting', grouped(delayed), 'delayed']),
    ),
    '  start it again, and it goes on from here',
  ]
}

function topWords({ top }: Counts, width: number): string[] {
  const most = top[0]?.[1] ?? 0
  const rankWidth = String(top.length).length
  const countWidth = grouped(most).length
  const barWidth = Math.min(30, Math.floor(width / 3))
  // The word stands last: scripts differ in the width of their characters, and some are written from the right.
  return top.map(([word, count], index) => {
    const rank = String(index + 1).padStart(rankWidth)
    return `  ${rank}  ${grouped(count).padStart(countWidth)}  ${bar(count / most, barWidth).padEnd(barWidth)}  ${word}`
  })
}

const checks = {
  same: 'a direct count finds the same',
  different: 'a direct count differs: files have changed',
} as const

function figures({ stats, files, counts, check, rescued, ms }: Results): string[] {
  const all = sumOf(stats)
  const kept = doneIn(all) - givenUpIn(all)
  const rows: (readonly string[])[] = [
    ['jobs', grouped(totalIn(all)), `(${grouped(kept)} completed, ${grouped(givenUpIn(all))} given up)`],
    ['files', grouped(files), 'counted'],
    ['words', grouped(counts.words), `(${grouped(counts.distinct)} distinct)`],
    ['time', (ms / 1_000).toFixed(1), 's in this process'],
  ]
  if (rescued > 0) rows.push(['rescue', grouped(rescued), 'taken back from a dead runner'])
  const lines = table(rows)
  return check === undefined ? lines : [...lines, `  check   ${checks[check]}`]
}

/** What each kind took in each queue, in this process. */
function timesByKind(attempts: readonly Attempts[], width: number): string[] {
  if (attempts.length === 0) return []
  const milliseconds = (ms: number): string => `${grouped(ms)} ms`
  const rows = [
    ['queue', 'kind', 'attempts', 'failed', 'mean', 'longest'],
    ...[...attempts]
      .sort((a, b) => (`${a.queue}/${a.kind}` < `${b.queue}/${b.kind}` ? -1 : 1))
      .map(({ queue, kind, ended, failed, totalMs, longestMs }) => [
        queue,
        kind,
        grouped(ended),
        grouped(failed),
        milliseconds(totalMs / ended),
        milliseconds(longestMs),
      ]),
  ]
  return width < 60
    ? table(
        rows.map(([queue = '', , ...rest]) => [queue, ...rest]),
        1,
      )
    : table(rows, 2)
}

function deadLetters(givenUp: readonly GivenUp[], all: StoreStats['queues'][string]): string[] {
  if (givenUp.length === 0) return []
  const more = all.failed + all.discarded - givenUp.length
  return [
    '  given up',
    ...givenUp.flatMap(({ name, state, error, history }) => [
      `    ${name}`,
      ...(history.length > 0 ? told(history) : [`      ${state}: ${error?.message ?? ''}`]),
    ]),
    ...(more > 0 ? [`    and ${grouped(more)} more`] : []),
    ...(all.failed > 0 ? ['  --retry --calm tries the failed ones again'] : []),
  ]
}

/** The attempts in order; those that went the same way in one line. */
function told(history: GivenUp['history']): string[] {
  const groups: { readonly first: number; last: number; readonly message: string }[] = []
  for (const { attempt, outcome, failure } of history) {
    const message = failure?.message ?? outcome
    const group = groups.at(-1)
    if (group?.message === message) group.last = attempt
    else groups.push({ first: attempt, last: attempt, message })
  }
  return groups.map(({ first, last, message }) =>
    first === last ? `      attempt ${first}: ${message}` : `      attempts ${first} to ${last}: ${message}`,
  )
}

/** Rows in columns: so many labels, which begin on the left, then numbers. The last of three is a remark. */
function table(rows: readonly (readonly string[])[], labels = 1): string[] {
  const widthOf = (column: number): number => Math.max(...rows.map(row => (row[column] ?? '').length))
  return rows.map(row => {
    const cells = row.map((text, column) => {
      if (column < labels) return text.padEnd(widthOf(column))
      return row.length === 3 && column === 2 ? text : text.padStart(widthOf(column))
    })
    return `  ${cells.join('  ')}`.trimEnd()
  })
}
