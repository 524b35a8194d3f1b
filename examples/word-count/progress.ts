import { bar, compact, fit, grouped } from '../shared/layout.ts'

/** What has been done by now. */
export interface Figures {
  readonly files: number
  readonly words: number
  readonly events: number
}

/** The part of a terminal that is needed here; `process.stderr` is one. */
export interface Terminal {
  readonly columns?: number
  write(text: string): boolean
}

const everyMs = 100

/** Draws the figures again and again on one line of the terminal, until the returned function is called. */
export function showProgress(terminal: Terminal, read: () => Promise<Figures>, now = () => performance.now()): () => void {
  const started = now()
  let over = false
  let turn = 0

  const draw = async () => {
    // A stage that has ended answers no more: then the last line stays until it is cleared.
    const figures = await read().catch(() => undefined)
    if (over || !figures) return
    // Columns are left free for the `^C` that a terminal puts behind the line.
    const width = (terminal.columns || 80) - 3
    terminal.write(`\r${progressLine(figures, now() - started, turn++, width)}\x1b[K`)
  }
  const timer = setInterval(() => void draw(), everyMs)

  return () => {
    over = true
    clearInterval(timer)
    if (turn > 0) terminal.write('\r\x1b[K')
  }
}

/**
 * One line of at most `width` columns. How much there is to read is unknown until it has been read, so the bar tells only
 * that something moves. When the room is narrow the bar goes first, then digits.
 */
export function progressLine(figures: Figures, ms: number, turn: number, width: number): string {
  const full = told(figures, ms, grouped)
  const text = full.length <= width ? full : fit(told(figures, ms, compact), width)
  const room = Math.min(24, width - text.length - 2)
  return room < 6 ? text : `${sweep(turn, room)}  ${text}`
}

function told({ files, words, events }: Figures, ms: number, number: (value: number) => string): string {
  const rate = events / (Math.max(ms, 1) / 1000)
  return `${number(files)} ${files === 1 ? 'file' : 'files'}, ${number(words)} words, ${number(rate)} events/s`
}

/** A bar that runs from side to side. */
function sweep(turn: number, width: number): string {
  const length = Math.ceil(width / 4)
  const way = width - length
  const at = way - Math.abs((turn % (2 * way)) - way)
  return `${'░'.repeat(at)}${bar(1, length)}${'░'.repeat(way - at)}`
}
