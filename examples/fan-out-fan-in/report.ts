import { fit, grouped } from '../shared/layout.ts'
import { flowLines, flows } from '../shared/picture.ts'
import type { Topology } from '@genstage/core'
import { shops } from './orders.ts'
import { totalOf } from './summary.ts'
import type { ShopSummary, Summary } from './summary.ts'

/** All that is told at the end. */
export interface Results {
  readonly summary: Summary
  /** As it was when the last result had come. */
  readonly topology: Topology
  readonly ms: number
  readonly interrupted: boolean
}

/** The results for programs. */
export function asJson({ summary, topology, ms, interrupted }: Results): string {
  const { parcels: orders } = totalOf(summary)
  return JSON.stringify({
    orders,
    shops: summary,
    flows: flows(topology),
    ms: Math.round(ms),
    ...(interrupted && { interrupted }),
  })
}

/** The results for people, in lines of at most `width` columns. */
export function asText({ summary, topology, ms, interrupted }: Results, width: number): string {
  const sections = [shopTable(summary), [figures(summary, ms)], flowLines(flows(topology), width)]
  if (interrupted) sections.unshift(['interrupted: the orders so far'])
  return sections.map(lines => lines.map(line => `${fit(line, width)}\n`).join('')).join('\n')
}

function shopTable(summary: Summary): string[] {
  const rows = [
    ['', 'orders', 'revenue', 'doubtful', 'held'],
    ...shops.map(shop => rowOf(shop, summary[shop])),
    rowOf('all', totalOf(summary)),
  ]
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
    return `  ${cells.join('  ')}`
  })
}

function rowOf(label: string, { parcels, revenue, doubtful, held }: ShopSummary): string[] {
  return [label, grouped(parcels), grouped(revenue / 100), grouped(doubtful), grouped(held)]
}

function figures(summary: Summary, ms: number): string {
  const { parcels } = totalOf(summary)
  return `  ${grouped(ms)} ms, ${grouped(parcels / (Math.max(ms, 1) / 1000))} orders/s`
}
