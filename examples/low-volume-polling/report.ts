import { fit, grouped } from '../shared/layout.ts'
import { flowLines } from '../shared/picture.ts'
import type { Flow } from '../shared/picture.ts'
import type { TopologyStage } from '@genstage/core'
import type { Idle } from './idle.ts'
import type { Observed, Polls } from './watch.ts'
import type { Worked } from './worker.ts'

/** All that is told at the end. */
export interface Results {
  readonly polls: Readonly<Record<string, Polls>>
  /** How many numbers came in at the desk. */
  readonly byHand: number
  readonly shown: readonly Worked[]
  /** Roots in the file. */
  readonly written: number
  readonly api: { readonly roots: ReadonlyMap<string, unknown>; readonly posts: number; readonly repeated: number }
  readonly observed: Observed
  /** Undefined: it was never idle. */
  readonly idle: Idle | undefined
  readonly bottleneck: TopologyStage | undefined
  readonly flows: readonly Flow[]
  readonly ms: number
  readonly interrupted: boolean
}

/** One root, for people: `√25 = 5`. */
export function rootLine({ id, number, root, isRemembered }: Worked, ms: number): string {
  const at = (ms / 1_000).toFixed(2)
  const short = Number.isInteger(root) ? root : root.toFixed(3)
  return `  ${at.padStart(5)} s  ${id.padEnd(9)}  √${number} = ${short}${isRemembered ? ' (remembered)' : ''}`
}

/** The results for programs. */
export function asJson(results: Results): string {
  const { polls, byHand, shown, written, api, observed, idle, bottleneck, flows, ms, interrupted } = results
  return JSON.stringify({
    polls,
    byHand,
    numbers: numbersOf(results),
    withoutRoot: numbersOf(results) - shown.length,
    processed: shown.length,
    remembered: rememberedOf(shown),
    written,
    posted: api.roots.size,
    posts: api.posts,
    repeated: api.repeated,
    restarts: Object.fromEntries(observed.restarts),
    discarded: observed.discarded,
    ...(idle && { idle: { ...idle, ms: Math.round(idle.ms), processorMs: Math.round(idle.processorMs) } }),
    ...(bottleneck && { bottleneck: bottleneck.name }),
    flows,
    ms: Math.round(ms),
    ...(interrupted && { interrupted }),
  })
}

/** The results for people, in lines of at most `width` columns. */
export function asText(results: Results, width: number): string {
  const sections = [sourceTable(results), outcome(results), quiet(results), flowLines(results.flows, width)]
  if (results.interrupted) sections.unshift(['interrupted: the numbers so far'])
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${fit(line, width)}\n`).join(''))
    .join('\n')
}

function sourceTable({ polls, byHand }: Results): string[] {
  const rows = [
    ['', 'polls', 'empty', 'failed', 'numbers'],
    ...Object.entries(polls).map(([name, { calls, empty, failed, numbers }]) => [name, calls, empty, failed, numbers]),
    ['desk', '', '', '', byHand],
  ].map(row => row.map(cell => (typeof cell === 'number' ? grouped(cell) : cell)))
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
    return `  ${cells.join('  ')}`
  })
}

function outcome(results: Results): string[] {
  const { shown, written, api, observed } = results
  const numbers = numbersOf(results)
  const restarts = [...observed.restarts].map(([child, count]) => `${child} ${grouped(count)}`)
  return [
    `  ${grouped(numbers)} numbers, ${grouped(numbers - shown.length)} of them without a root`,
    `  ${grouped(shown.length)} roots, ${grouped(rememberedOf(shown))} of them remembered`,
    `  ${grouped(written)} in the file, ${grouped(api.roots.size)} at the API in ${grouped(api.posts)} posts`,
    ...(restarts.length > 0 ? [`  started again: ${restarts.join(', ')}`] : []),
    ...(observed.discarded > 0 ? [`  ${grouped(observed.discarded)} given up on the way`] : []),
  ]
}

function quiet({ idle, bottleneck, interrupted }: Results): string[] {
  if (!idle) return [...(interrupted ? [] : ['  never idle']), ...heldUp(bottleneck)]
  const { ms, polls, timers, processorMs } = idle
  return [
    `  idle for ${grouped(ms)} ms: ${grouped(polls)} polls, ${grouped(timers)} timers`,
    `  processor time meanwhile ${grouped(processorMs)} ms (${((processorMs / ms) * 100).toFixed(1)} %)`,
    ...heldUp(bottleneck),
  ]
}

function heldUp(bottleneck: TopologyStage | undefined): string[] {
  if (!bottleneck) return []
  if (bottleneck.type === 'producer') return ['  held up by nobody: all wait for numbers']
  return [`  held up by ${bottleneck.name ?? bottleneck.id}`]
}

function numbersOf({ polls, byHand }: Results): number {
  return Object.values(polls).reduce((sum, { numbers }) => sum + numbers, byHand)
}

function rememberedOf(shown: readonly Worked[]): number {
  return shown.filter(({ isRemembered }) => isRemembered).length
}
