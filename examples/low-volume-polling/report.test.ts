import { describe, expect, test } from 'vitest'
import { asJson, asText, rootLine } from './report.ts'
import type { Results } from './report.ts'

const root = (id: string, number: number, isRemembered = false) => {
  return { id, number, root: Math.sqrt(number), worker: 'worker-0', isRemembered }
}
const shown = [root('east-1', 25), root('table-1', 2), root('desk-1', 2, true)]
const results: Results = {
  polls: {
    east: { calls: 1_200, empty: 1_190, failed: 8, numbers: 2 },
    table: { calls: 24, empty: 23, failed: 0, numbers: 1 },
  },
  byHand: 1,
  shown,
  written: 3,
  api: { roots: new Map(shown.map(each => [each.id, each])), posts: 2, repeated: 0 },
  observed: { restarts: new Map([['east', 8]]), discarded: 0 },
  idle: { ms: 1_000.2, polls: 8, timers: 8, processorMs: 9.6 },
  bottleneck: { id: 'producer-2', name: 'east', type: 'producer', supervisor: 'root', mailbox: 0, buffered: 0 },
  flows: [
    { from: 'east', to: 'numbers', events: 2 },
    { from: 'table', to: 'numbers', events: 1 },
  ],
  ms: 6_000.4,
  interrupted: false,
}

describe('report', () => {
  test('tells what came, from where, where it went, and what was done while nothing came', () => {
    expect(asText(results, 80)).toBe(`         polls  empty  failed  numbers
  east   1,200  1,190       8        2
  table     24     23       0        1
  desk                               1

  4 numbers, 1 of them without a root
  3 roots, 1 of them remembered
  3 in the file, 3 at the API in 2 posts
  started again: east 8

  idle for 1,000 ms: 8 polls, 8 timers
  processor time meanwhile 10 ms (1.0 %)
  held up by nobody: all wait for numbers

  east  → numbers  2  ████████████████████████
  table → numbers  1  ████████████████████████
`)
  })

  test('tells of a bottleneck, of losses, and that it was never idle', () => {
    const worker = { ...results.bottleneck, id: 'consumer-1', name: undefined, type: 'consumer' as const }
    const observed = { restarts: new Map(), discarded: 4 }
    const text = asText({ ...results, idle: undefined, observed, bottleneck: worker as Results['bottleneck'] }, 80)
    expect(text).toContain('\n  4 given up on the way\n\n  never idle\n  held up by consumer-1\n\n')
    expect(text).not.toContain('started again')
  })

  test('may be cut short, before anything was seen', () => {
    const nothing = { ...results, idle: undefined, bottleneck: undefined, flows: [], interrupted: true }
    expect(asText(nothing, 80)).toMatch(/^interrupted: the numbers so far\n\n {9}polls .* posts\n {2}started again: east 8\n$/s)
    expect(JSON.parse(asJson(nothing))).toMatchObject({ interrupted: true, flows: [] })
  })

  test('is the same in JSON', () => {
    expect(JSON.parse(asJson(results))).toEqual({
      polls: results.polls,
      byHand: 1,
      numbers: 4,
      withoutRoot: 1,
      processed: 3,
      remembered: 1,
      written: 3,
      posted: 3,
      posts: 2,
      repeated: 0,
      restarts: { east: 8 },
      discarded: 0,
      idle: { ms: 1_000, polls: 8, timers: 8, processorMs: 10 },
      bottleneck: 'east',
      flows: results.flows,
      ms: 6_000,
    })
  })

  test.each([120, 80, 50, 30, 10])('fits into %i columns', width => {
    for (const line of asText(results, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })
})

test('a root is one short line', () => {
  expect(rootLine(root('east-1', 25), 1_234)).toBe('   1.23 s  east-1     √25 = 5')
  expect(rootLine(root('table-10', 2, true), 12_000)).toBe('  12.00 s  table-10   √2 = 1.414 (remembered)')
})
