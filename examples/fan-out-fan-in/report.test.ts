import type { Topology } from '@genstage/core'
import { describe, expect, test } from 'vitest'
import { ordersOf, shops } from './orders.ts'
import { asText } from './report.ts'
import { plainSummary } from './summary.ts'

const topology: Topology = {
  stages: [
    { id: '1', name: 'berlin', type: 'producer', supervisor: undefined, mailbox: 0, buffered: 0 },
    { id: '2', name: 'desk-0', type: 'consumer', supervisor: undefined, mailbox: 0, buffered: 0 },
  ],
  edges: [{ subscription: '3', producer: '1', consumer: '2', demand: 0, inFlight: 0, delivered: 1_500, rate: 0 }],
  toMermaid: () => '',
}
const summary = plainSummary(shops.flatMap(shop => [...ordersOf(shop, 500, 1)]))
const results = { summary, topology, ms: 100, interrupted: true }

describe('report', () => {
  test('tells what was sold, how fast, and what went where', () => {
    const text = asText(results, 80)
    expect(text).toMatch(/^interrupted: the orders so far\n\n {10}orders +revenue +doubtful +held\n {2}berlin +500/)
    expect(text).toContain('  100 ms, 15,000 orders/s\n')
    expect(text).toContain('  berlin → desk-0  1,500  ████')
  })

  test.each([120, 80, 50, 30, 10])('fits into %i columns', width => {
    for (const line of asText(results, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })
})
