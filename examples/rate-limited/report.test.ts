import { describe, expect, test } from 'vitest'
import { asJson, asText } from './report.ts'
import type { Results } from './report.ts'

const times = [...Array.from({ length: 40 }, () => 1_000), ...Array.from({ length: 20 }, () => 1_600)]
const results: Results = {
  limit: 40,
  perMs: 250,
  answers: 58,
  refused: 2,
  requests: { times, violations: 2, most: 40, mostAtOnce: 7 },
  ms: 900.4,
  interrupted: true,
}

describe('report', () => {
  test('tells how many requests came in which time; a stretch without any is one too', () => {
    expect(asText(results, 50)).toBe(`interrupted: the requests so far

  answers    58 (64 a second)
  refused     2
  too fast    2
  at most    40 in any 250 ms; 40 are allowed
  at once     7 at most
  time      900 ms

    0 ms  40  ███████████████████████████████████|
  250 ms   0                                     |
  500 ms  20  █████████████████▌                 |
`)
  })

  test('may have nothing to tell', () => {
    const nothing = { ...results, answers: 0, requests: { ...results.requests, times: [] } }
    expect(asText(nothing, 80)).toMatch(/at most\n {2}time +900 ms\n$/)
  })

  test('is the same in JSON', () => {
    expect(JSON.parse(asJson(results))).toMatchObject({ requests: 60, answers: 58, refused: 2, violations: 2, ms: 900 })
  })

  test.each([120, 80, 50, 30, 10])('fits into %i columns', width => {
    for (const line of asText(results, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })
})
