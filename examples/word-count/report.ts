import type { Topology } from '@genstage/core'
import { bar, fit, grouped } from '../shared/layout.ts'
import { layers } from '../shared/picture.ts'
import type { Counts } from './counts.ts'
import type { WordCount } from './text.ts'

/** All that is told at the end. */
export interface Results {
  readonly files: number
  readonly skipped: number
  readonly counts: Counts
  /** How many events were handled in all. */
  readonly events: number
  /** How many of them by each stage, by its id. */
  readonly handled: ReadonlyMap<string, number>
  readonly topology: Topology
  readonly ms: number
  readonly peakBytes: number
  readonly interrupted: boolean
}

/** The results for programs. */
export function asJson({ files, counts: { words, distinct, top }, ms, interrupted }: Results): string {
  return JSON.stringify({ files, words, distinct, top, ms: Math.round(ms), ...(interrupted && { interrupted }) })
}

/** The results for people, in lines of at most `width` columns. */
export function asText(results: Results, width: number): string {
  const sections = [topWords(results.counts.top, width), figures(results), drawing(results)]
  if (results.interrupted) sections.unshift(['interrupted: the report so far'])
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${fit(line, width)}\n`).join(''))
    .join('\n')
}

function topWords(top: readonly WordCount[], width: number): string[] {
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

function figures({ files, skipped, counts, events, ms, peakBytes }: Results): string[] {
  const seconds = Math.max(ms, 1) / 1000
  const rows = [
    ['files', files, skipped > 0 ? `(${grouped(skipped)} skipped)` : ''],
    ['words', counts.words, `(${grouped(counts.distinct)} distinct)`],
    ['events', events, `(${grouped(events / seconds)} events/s)`],
    ['time', ms, 'ms'],
    ['memory', peakBytes / 2 ** 20, 'MiB at the peak'],
  ] as const
  return columns(rows.map(([label, value, note]) => [label, grouped(value), note]))
}

/** The topology: under each other what runs side by side, from the source down, with the events that each stage handled. */
function drawing({ topology, handled }: Results): string[] {
  const rows = columns(
    topology.stages.map(({ id, name, type }) => {
      const events = handled.get(id) ?? 0
      return type === 'producer' ? [name ?? id] : [name ?? id, grouped(events), events === 1 ? 'event' : 'events']
    }),
  )
  const rowOf = new Map(topology.stages.map(({ id }, index) => [id, rows[index] ?? '']))

  return layers(topology).flatMap((layer, depth, all) => {
    const above = all[depth - 1]
    const stages = layer.map(id => rowOf.get(id) ?? '')
    if (!above) return stages
    const joins = topology.edges.filter(edge => above.includes(edge.producer) && layer.includes(edge.consumer)).length
    return [`     │ ${joins} ${joins === 1 ? 'subscription' : 'subscriptions'}`, '     ▼', ...stages]
  })
}

/** Rows of a label, a number and a note, in columns. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widthOf = (column: number) => Math.max(...rows.map(row => (row[column] ?? '').length))
  const [labels, values] = [widthOf(0), widthOf(1)]
  return rows.map(([label = '', value = '', note = '']) =>
    `  ${label.padEnd(labels)}  ${value.padStart(values)} ${note}`.trimEnd(),
  )
}
