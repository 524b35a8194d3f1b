/** Text for a terminal of a given width. */

const rounded = new Intl.NumberFormat('en-US', { notation: 'compact' })
const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `1234567.8` as `1,234,568`. */
export function grouped(value: number): string {
  return integers.format(value)
}

/** `1234567.8` as `1.2M`. */
export function compact(value: number): string {
  return rounded.format(value)
}

/** A bar of at most `width` columns, in steps of an eighth; `share` is from 0 to 1. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  return '█'.repeat(eighths >> 3) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths & 7]
}

/** The text, or as much of it as fits into `width` columns with a sign that it goes on. */
export function fit(text: string, width: number): string {
  let used = 0
  let kept = ''
  let keptBeforeSign = ''
  for (const character of text) {
    used += columnsOf(character)
    if (used > width) return width > 0 ? `${keptBeforeSign}…` : ''
    kept += character
    if (used < width) keptBeforeSign = kept
  }
  return text
}

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60]/u

/** Characters of East Asian scripts take two columns. */
function columnsOf(character: string): number {
  return wide.test(character) ? 2 : 1
}
