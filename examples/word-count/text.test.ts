import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countWords, cutter, hashOf, ownCopy } from './text.ts'

/** The same text in the same order, cut by a cutter after it was cut anyhow. */
function cut(pieces: readonly string[], longest?: number): string[] {
  const words = cutter(longest)
  return [...pieces.map(piece => words.push(piece)), words.rest()]
}

/** Text of letters and borders of every width, lone halves of pairs among them, in pieces that were cut anywhere. */
const pieces = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        'a',
        'Z',
        '7',
        'é',
        'e\u0301',
        'ß',
        'İ',
        'Σ',
        '٣',
        '語',
        '𝒜',
        '𐐀',
        ' ',
        '\r\n',
        '-',
        '😀',
        '\ud800',
        '\udc00',
      ),
    ),
    fc.array(fc.nat({ max: 60 })),
  )
  .map(([characters, cuts]) => {
    const text = characters.join('')
    const places = [0, ...cuts.map(at => Math.min(at, text.length)).toSorted((a, b) => a - b), text.length]
    return places.slice(1).map((end, index) => text.slice(places[index], end))
  })

describe('cutter', () => {
  test('gives the same words however the text was cut', () => {
    fc.assert(
      fc.property(pieces, parts => {
        const whole = parts.join('')
        expect(cut(parts).join('')).toBe(whole)
        expect(countWords(cut(parts))).toEqual(countWords([whole]))
      }),
    )
  })

  test('cuts no surrogate pair, even in a word that is too long', () => {
    fc.assert(
      fc.property(pieces, fc.nat({ max: 8 }), (parts, longest) => {
        const all = cut(parts, longest)
        expect(all.join('')).toBe(parts.join(''))
        for (const [index, part] of all.entries()) {
          const next = all.slice(index + 1).find(each => each !== '')
          expect(part + (next ?? '')).not.toMatch(splitPairAt(part.length))
        }
      }),
    )
  })

  test('holds a word back until its border, and hands on all before it', () => {
    const words = cutter()
    expect(words.push('one tw')).toBe('one ')
    expect(words.push('o')).toBe('')
    expect(words.push(', thr')).toBe('two, ')
    expect(words.rest()).toBe('thr')
    expect(words.rest()).toBe('')
  })

  test('hands on a word in parts when it is longer than the limit', () => {
    const words = cutter(4)
    expect(words.push('abcd')).toBe('')
    expect(words.push('e')).toBe('abcde')
    expect(words.push('f ')).toBe('f ')
  })
})

describe('words', () => {
  test('are runs of letters and digits, lower-cased one by one', () => {
    expect([...countWords(["Don't — DON'T! 4x4 ΟΔΟΣ οδος", 'Ünï_cödé 語語 don'])]).toEqual([
      ['don', 3],
      ['t', 2],
      ['4x4', 1],
      ['οδος', 2],
      ['ünï', 1],
      ['cödé', 1],
      ['語語', 1],
    ])
  })

  test('have a stable hash: FNV-1a', () => {
    expect(hashOf('')).toBe(0x811c9dc5)
    expect(hashOf('a')).toBe(0xe40c292c)
    expect(hashOf('foobar')).toBe(0xbf9cf968)
  })

  test('are copied unchanged', () => {
    fc.assert(fc.property(fc.string(), word => ownCopy(word) === word))
  })
})

/** Matches where both sides of a place are the halves of one pair. */
function splitPairAt(place: number): RegExp {
  return place === 0 ? /^(?!)/ : new RegExp(`^[^]{${place - 1}}[\\ud800-\\udbff][\\udc00-\\udfff]`)
}
