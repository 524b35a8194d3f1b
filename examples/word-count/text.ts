/** Words in text: plain functions, without stages. A word is a run of Unicode letters and digits, lower-cased. */

export type WordCount = readonly [word: string, count: number]

const wordPattern = /[\p{L}\p{N}]+/gu
const wordCharacter = /^[\p{L}\p{N}]$/u

/** How often each word occurs in these texts. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const match of text.match(wordPattern) ?? []) {
      const word = match.toLowerCase()
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return counts
}

/** The same number for the same word, always and everywhere: FNV-1a over its UTF-16 units. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** A copy with memory of its own: a part of a string keeps the whole string alive, and a word would keep its text. */
export function ownCopy(word: string): string {
  return ` ${word}`.slice(1)
}

export interface Cutter {
  /** Takes the next piece, gives what may be handed on: it ends behind a whole word. May be empty. */
  push(piece: string): string
  /** What is left when there are no more pieces. */
  rest(): string
}

/**
 * Cuts text where no word and no surrogate pair is cut, however it was cut before. A word longer than `longest` is handed
 * on in parts, so that a huge file without any border needs no more memory than others.
 */
export function cutter(longest = 1 << 20): Cutter {
  /** The beginning of a word that may go on; it holds no border and no half of a pair. */
  let held = ''
  /** The first half of a surrogate pair, or nothing. */
  let half = ''

  return {
    push(piece) {
      const joined = half + piece
      const whole = isHighSurrogate(joined, joined.length - 1) ? joined.length - 1 : joined.length
      half = joined.slice(whole)
      const text = joined.slice(0, whole)

      const border = lastBorder(text)
      if (border === 0 && held.length + whole <= longest) {
        held += text
        return ''
      }
      const ready = held + text.slice(0, border || whole)
      held = text.slice(border || whole)
      return ready
    },
    rest() {
      const rest = held + half
      held = half = ''
      return rest
    },
  }
}

/** The place behind the last character that belongs to no word, 0 if there is none. */
function lastBorder(text: string): number {
  let end = text.length
  while (end > 0) {
    const start = isHighSurrogate(text, end - 2) && isLowSurrogate(text, end - 1) ? end - 2 : end - 1
    if (!wordCharacter.test(text.slice(start, end))) return end
    end = start
  }
  return 0
}

function isHighSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00
}
