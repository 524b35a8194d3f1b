import { describe, expect, test } from 'vitest'
import type { Edge, Topology } from '@genstage/core'
import { bar, compact, fit, grouped } from '../shared/layout.ts'
import { parseOptions } from './options.ts'
import { progressLine, showProgress } from './progress.ts'
import { asJson, asText } from './report.ts'
import type { Results } from './report.ts'

const stage = (id: string, type: 'producer' | 'consumer' | 'producerConsumer') => {
  return { id, name: id, type, supervisor: undefined, mailbox: 0, buffered: 0 }
}
const edge = (producer: string, consumer: string): Edge => {
  return { subscription: `${producer}-${consumer}`, producer, consumer, demand: 0, inFlight: 0, delivered: 0, rate: 0 }
}
const topology: Topology = {
  stages: [
    stage('report', 'consumer'),
    stage('splitter-0', 'producerConsumer'),
    stage('splitter-1', 'producerConsumer'),
    stage('reader', 'producer'),
  ],
  edges: [edge('reader', 'splitter-0'), edge('reader', 'splitter-1'), edge('splitter-0', 'report'), edge('splitter-1', 'report')],
  toMermaid: () => '',
}
const results: Results = {
  files: 1_234,
  skipped: 5,
  counts: {
    words: 1_500_000,
    distinct: 60_000,
    top: [
      ['the', 12_345],
      ['語'.repeat(60), 600],
      ['of', 7],
    ],
  },
  events: 500_030,
  handled: new Map([
    ['splitter-0', 20],
    ['splitter-1', 10],
    ['report', 500_000],
  ]),
  topology,
  ms: 2_000.4,
  peakBytes: 100 * 2 ** 20,
  interrupted: false,
}

describe('report', () => {
  test('tells the words, the figures and the topology', () => {
    expect(asText(results, 60)).toBe(
      `
  1  12,345  ████████████████████  the
  2     600  █                     ${'語'.repeat(12)}…
  3       7                        of

  files       1,234 (5 skipped)
  words   1,500,000 (60,000 distinct)
  events    500,030 (249,965 events/s)
  time        2,000 ms
  memory        100 MiB at the peak

  reader
     │ 2 subscriptions
     ▼
  splitter-0       20 events
  splitter-1       10 events
     │ 2 subscriptions
     ▼
  report      500,000 events
`.slice(1),
    )
  })

  test.each([80, 40, 20, 3])('fits into %i columns', width => {
    for (const line of asText(results, width).split('\n')) expect(columns(line)).toBeLessThanOrEqual(width)
  })

  test('says first that it was interrupted', () => {
    expect(asText({ ...results, interrupted: true }, 80)).toMatch(/^interrupted/)
    expect(asText(results, 80)).not.toContain('interrupted')
  })

  test('without words shows no empty list', () => {
    const empty = { ...results, counts: { words: 0, distinct: 0, top: [] } }
    expect(asText(empty, 80)).toMatch(/^ {2}files/)
  })

  test('as JSON has the fields for programs, and `interrupted` only if it was', () => {
    const { words, distinct, top } = results.counts
    expect(JSON.parse(asJson(results))).toEqual({ files: 1_234, words, distinct, top, ms: 2_000 })
    expect(JSON.parse(asJson({ ...results, interrupted: true }))).toHaveProperty('interrupted', true)
  })
})

describe('layout', () => {
  test('groups digits, or leaves most of them out', () => {
    expect(grouped(1_234_567.8)).toBe('1,234,568')
    expect(compact(1_234_567.8)).toBe('1.2M')
  })

  test('cuts what does not fit and shows it, with wide characters counted twice', () => {
    expect(fit('abc', 3)).toBe('abc')
    expect(fit('abcd', 3)).toBe('ab…')
    expect(fit('語語', 4)).toBe('語語')
    expect(fit('語語', 3)).toBe('語…')
    expect(fit('語語', 2)).toBe('…')
    expect(fit('abc', 0)).toBe('')
  })

  test('draws bars in eighths', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(1, 4), bar(0.28125, 4), bar(2, 4)]).toEqual(['', '██', '████', '█▏', '████'])
  })
})

describe('progress', () => {
  const figures = { files: 1_234, words: 3_500_000, events: 9_000_000 }

  test('shows files, words and events per second behind a moving bar', () => {
    expect(progressLine(figures, 3_000, 0, 80)).toBe(`██████${'░'.repeat(18)}  1,234 files, 3,500,000 words, 3,000,000 events/s`)
    expect(progressLine(figures, 3_000, 7, 80)).toBe(
      `${'░'.repeat(7)}██████${'░'.repeat(11)}  1,234 files, 3,500,000 words, 3,000,000 events/s`,
    )
  })

  test('is shortened for a narrow terminal, digits before words', () => {
    expect(progressLine(figures, 3_000, 0, 37)).toBe('1.2K files, 3.5M words, 3M events/s')
    expect(progressLine(figures, 3_000, 0, 30)).toBe('1.2K files, 3.5M words, 3M ev…')
  })

  test.each([120, 79, 55, 39, 10, 1, 0])('fits into %i columns at every turn', width => {
    for (let turn = 0; turn < 60; turn++) expect(columns(progressLine(figures, 100, turn, width))).toBeLessThanOrEqual(width)
  })

  test('runs from side to side and back', () => {
    const places = Array.from({ length: 37 }, (_, turn) => progressLine(figures, 100, turn, 79).indexOf('█'))
    expect(Math.max(...places)).toBe(18)
    expect([places[0], places[18], places[36]]).toEqual([0, 18, 0])
  })

  test('is drawn on one line, and cleared at the end', async () => {
    const written: string[] = []
    const terminal = { columns: 40, write: (text: string) => written.push(text) > 0 }
    const hide = showProgress(terminal, () => Promise.resolve(figures))
    await expect.poll(() => written.length, { timeout: 5_000 }).toBeGreaterThan(1)
    hide()
    for (const text of written) expect(text.startsWith('\r') && text.endsWith('\x1b[K') && !text.includes('\n')).toBe(true)
    expect(written.at(-1)).toBe('\r\x1b[K')
  })
})

describe('options', () => {
  test('have defaults', () => {
    expect(parseOptions([])).toEqual({ path: undefined, top: 20, json: false, help: false })
  })

  test('are read in any order; `--` ends them, `-` is a path', () => {
    expect(parseOptions(['-', '--json', '--top', '5'])).toEqual({ path: '-', top: 5, json: true, help: false })
    expect(parseOptions(['--top=0', '-h', '--', '--top'])).toEqual({ path: '--top', top: 0, json: false, help: true })
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['-x'], 'unknown option -x'],
    [['--json=yes'], 'unknown option --json=yes'],
    [['--top'], '--top takes a whole number, but none was given'],
    [['--top', '-5'], '--top takes a whole number, not "-5"'],
    [['--top', '2.5'], '--top takes a whole number, not "2.5"'],
    [['--top=1e3'], '--top takes a whole number, not "1e3"'],
    [['--top', '99999999999999999'], '--top takes a whole number, not "99999999999999999"'],
    [['a', 'b'], 'one path at most, but got "a" and "b"'],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message)
  })
})

function columns(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0)
}
