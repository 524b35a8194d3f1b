import { bar, fit } from './layout.ts'

/** The part of a terminal that is needed here; `process.stderr` is one. */
export interface Terminal {
  readonly columns?: number
  readonly isTTY?: boolean
  write(text: string): boolean
}

/** What has been done by now. */
export interface Progress {
  /** From 0 to 1. */
  readonly share: number
  readonly text: string
}

const everyMs = 100

/** Draws the progress again and again on one line, until the returned function is called. Draws nothing into a file or a pipe. */
export function showProgress(terminal: Terminal, read: () => Progress): () => void {
  if (!terminal.isTTY) return () => {}
  const timer = setInterval(() => {
    // Columns are left free for the `^C` that a terminal puts behind the line.
    terminal.write(`\r${progressLine(read(), (terminal.columns || 80) - 3)}\x1b[K`)
  }, everyMs)
  return () => {
    clearInterval(timer)
    terminal.write('\r\x1b[K')
  }
}

/** One line of at most `width` columns; the bar goes first when the room is narrow. */
export function progressLine({ share, text }: Progress, width: number): string {
  const room = Math.min(24, width - text.length - 2)
  if (room < 6) return fit(text, width)
  return `${bar(share, room).padEnd(room, '░')}  ${text}`
}
