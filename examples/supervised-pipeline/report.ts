import { bar, fit, grouped } from '../shared/layout.ts'
import type { Bank } from './bank.ts'
import type { Observed } from './watch.ts'

/** All that is told at the end. */
export interface Results {
  readonly bank: Bank
  readonly crashes: number
  readonly observed: Observed
  readonly ms: number
  /** Ctrl-C: what has been handed out and is missing is not lost, it stays open. */
  readonly interrupted: boolean
}

/** The results for programs. */
export function asJson({ bank, crashes, observed, ms, interrupted }: Results): string {
  const { restarts, redelivered, discarded } = observed
  return JSON.stringify({
    payments: bank.payments,
    booked: bank.booked,
    ...bank.differences(),
    crashes,
    restarts: Object.fromEntries(byId(restarts)),
    redelivered,
    discarded,
    repeated: bank.repeated,
    bookedTwice: bank.bookedTwice,
    ms: Math.round(ms),
    ...(interrupted && { interrupted }),
  })
}

/** The results for people, in lines of at most `width` columns. */
export function asText(results: Results, width: number): string {
  const sections = [outcome(results), lives(results, width), way(results)]
  if (results.interrupted) sections.unshift(['interrupted: the payments so far'])
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${fit(line, width)}\n`).join(''))
    .join('\n')
}

function outcome({ bank, crashes, ms, interrupted }: Results): string[] {
  const { missing, wrong } = bank.differences()
  const rate = bank.booked / (Math.max(ms, 1) / 1000)
  return [
    `  ${grouped(bank.booked)} payments booked: ${grouped(missing)} ${interrupted ? 'still open' : 'missing'}, ${grouped(wrong)} wrong`,
    `  ${grouped(crashes)} crashes, ${grouped(ms)} ms, ${grouped(rate)} payments/s`,
  ]
}

function lives({ observed }: Results, width: number): string[] {
  if (observed.restarts.size === 0) return []
  const rows = byId(observed.restarts)
  const most = Math.max(...rows.map(([, count]) => count))
  const idWidth = Math.max(...rows.map(([id]) => id.length))
  const countWidth = grouped(most).length
  const barWidth = Math.min(24, width - idWidth - countWidth - 6)
  return [
    '  started again',
    ...rows.map(([id, count]) => {
      const row = `  ${id.padEnd(idWidth)}  ${grouped(count).padStart(countWidth)}  ${bar(count / most, barWidth)}`
      return row.trimEnd()
    }),
  ]
}

function way({ bank, observed }: Results): string[] {
  const rows: readonly (readonly [number, string])[] = [
    [observed.redelivered, 'given back and delivered again'],
    [observed.discarded, 'given up on the way'],
    [bank.repeated, 'handed out again by the bank'],
    [bank.bookedTwice, 'booked again, to the same effect'],
  ]
  const countWidth = Math.max(...rows.map(([count]) => grouped(count).length))
  return rows.map(([count, label]) => `  ${grouped(count).padStart(countWidth)}  ${label}`)
}

function byId(restarts: ReadonlyMap<string, number>): [id: string, count: number][] {
  return [...restarts].sort(([a], [b]) => (a < b ? -1 : 1))
}
