/** What is seen while the jobs run: pure text from figures, then the drawing of it. */
import type { QueueStats, StoreStats } from '@genstage/jobs'
import { fit, grouped } from '../shared/layout.ts'
import type { Terminal } from '../shared/progress.ts'
import type { Mishap } from './figures.ts'
import { activeIn, doneIn, givenUpIn, sumOf, totalIn } from './state.ts'

/** One moment of the work. */
export interface Moment {
  readonly stats: StoreStats
  /** Since the start of this process. */
  readonly ms: number
  /** Jobs that have ended per second, lately. */
  readonly rate: number
  /** What went wrong lately, the newest first. */
  readonly mishaps: readonly (Omit<Mishap, 'id'> & { readonly name: string })[]
  /** Jobs taken back from runners that died. */
  readonly rescued: number
  readonly isStopping: boolean
}

const columns = [
  { wide: 'waiting', narrow: 'wait', of: (queue: QueueStats) => queue.waiting },
  { wide: 'delayed', narrow: 'later', of: (queue: QueueStats) => queue.delayed },
  { wide: 'running', narrow: 'run', of: (queue: QueueStats) => queue.running },
  { wide: 'done', narrow: 'done', of: (queue: QueueStats) => queue.completed },
  { wide: 'failed', narrow: 'fail', of: givenUpIn },
] as const

/** From this width on the headings are written out. */
const wideFrom = 66
const longestBar = 40
const mishapsShown = 4

/** The board, in at most `rows` lines of at most `width` columns. */
export function boardLines(moment: Moment, width: number, rows: number): string[] {
  const table = queueTable(moment.stats, width)
  const room = rows - table.length - 4
  const mishaps = room < 3 ? [] : mishapLines(moment.mishaps.slice(0, Math.min(mishapsShown, room - 2)), width)
  const lines = [summary(moment), '', ...table, ...mishaps, '', advice(moment, width)]
  return lines.slice(0, Math.max(1, rows)).map(line => fit(line, width).trimEnd())
}

/** One line, for a log. */
export function plainLine({ stats, ms, rate, isStopping }: Moment): string {
  const all = sumOf(stats)
  const parts = [
    `${seconds(ms)}  ${grouped(doneIn(all))} of ${grouped(totalIn(all))} jobs`,
    `${grouped(rate)}/s`,
    `${grouped(all.running)} running`,
    `${grouped(all.delayed)} delayed`,
    `${grouped(givenUpIn(all))} failed`,
  ]
  return `${parts.join(', ')}${isStopping ? ', stopping' : ''}`
}

function summary({ stats, ms, rate, rescued }: Moment): string {
  const all = sumOf(stats)
  const total = totalIn(all)
  const share = total === 0 ? 0 : Math.floor((100 * doneIn(all)) / total)
  const back = rescued > 0 ? `  ${grouped(rescued)} rescued` : ''
  return ` ${grouped(doneIn(all))} of ${grouped(total)} jobs  ${share} %  ${grouped(rate)}/s  ${seconds(ms)}${back}`
}

function queueTable({ queues }: StoreStats, width: number): string[] {
  const rows = Object.entries(queues).sort(([a], [b]) => (a < b ? -1 : 1))
  const isWide = width >= wideFrom
  const headings = columns.map(column => (isWide ? column.wide : column.narrow))
  const cells = rows.map(([, queue]) => columns.map(column => grouped(column.of(queue))))
  const widths = headings.map((heading, at) => Math.max(heading.length, ...cells.map(row => row[at]?.length ?? 0)))
  const nameWidth = Math.max(0, ...rows.map(([name]) => name.length))
  const line = (name: string, texts: readonly string[]): string =>
    ` ${name.padEnd(nameWidth)}  ${texts.map((text, at) => text.padStart(widths[at] ?? 0)).join('  ')}`
  const heading = line('', headings)
  const barWidth = Math.min(longestBar, width - heading.length - 3)
  return [
    heading,
    ...rows.map(([name, queue], at) => {
      const row = line(name, cells[at] ?? [])
      return barWidth < 6 ? row : `${row}  ${queueBar(queue, barWidth)}`
    }),
  ]
}

/** How far a queue is: `█` done, `×` failed, `▒` running, `░` to come. What is there at all is seen, if there is room. */
export function queueBar(queue: QueueStats, width: number): string {
  const parts = [
    { sign: '█', count: doneIn(queue) - givenUpIn(queue) },
    { sign: '×', count: givenUpIn(queue) },
    { sign: '▒', count: queue.running },
    { sign: '░', count: queue.waiting + queue.delayed },
  ].filter(({ count }) => count > 0)
  const total = totalIn(queue)
  const lengths = parts.map(({ count }) => Math.max(1, Math.round((count / total) * width)))
  // What rounding has given or taken is settled with the longest
  const longest = lengths.indexOf(Math.max(...lengths))
  const rest = width - lengths.reduce((sum, length) => sum + length, 0)
  return parts.map(({ sign }, at) => sign.repeat(Math.max(0, (lengths[at] ?? 0) + (at === longest ? rest : 0)))).join('')
}

function mishapLines(mishaps: Moment['mishaps'], width: number): string[] {
  if (mishaps.length === 0) return []
  const nameWidth = Math.min(Math.floor(width * 0.4), Math.max(...mishaps.map(({ name }) => name.length)))
  return [
    '',
    ...mishaps.map(({ name, attempt, message, next }) => {
      const text = width >= wideFrom ? `attempt ${attempt}: ${message}; ${next}` : message
      return ` ${fitEnd(name, nameWidth).padEnd(nameWidth)}  ${text}`
    }),
  ]
}

/** The end of a path says more than its beginning. */
function fitEnd(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`
}

function advice({ isStopping, stats }: Moment, width: number): string {
  if (isStopping) {
    const { running } = sumOf(stats)
    return width < 60
      ? ` stopping: ${grouped(running)} still run (Ctrl-C: now)`
      : ` stopping: ${grouped(running)} still run; Ctrl-C again gives them back at once`
  }
  if (activeIn(sumOf(stats)) === 0) return ' done'
  return width < 60 ? ' Ctrl-C stops; a new start goes on' : ' Ctrl-C stops in order; the next start goes on where this one was'
}

function seconds(ms: number): string {
  const whole = Math.floor(ms / 1_000)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** A terminal that may tell how high it is. */
export interface Screen extends Terminal {
  readonly rows?: number
}

/** Draws lines over those of the last time. */
export class Drawing {
  readonly #screen: Screen
  #height = 0

  constructor(screen: Screen) {
    this.#screen = screen
  }

  draw(lines: readonly string[]): void {
    this.#screen.write(`${this.#home()}${lines.map(line => `${line}\x1b[K\n`).join('')}\x1b[J`)
    this.#height = lines.length
  }

  clear(): void {
    this.#screen.write(`${this.#home()}\x1b[J`)
    this.#height = 0
  }

  #home(): string {
    return this.#height === 0 ? '\r' : `\r\x1b[${this.#height}A`
  }
}
