import { once } from 'node:events'
import { createRuntime } from '@genstage/core'
import { afterAll, expect, test } from 'vitest'
import { startCounting } from './pipeline.ts'

const runtime = createRuntime({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
afterAll(() => runtime.stop())

async function* evenAndOdd() {
  for (let n = 0; n < 1_000; n++) yield `even odd ${n % 2 === 0 ? 'even' : 'odd'} ${n}`
}

async function* broken() {
  yield 'one two'
  throw new Error('the disk is gone')
}

test('counts the words of all texts, and ends all stages', async () => {
  const counting = await startCounting(evenAndOdd, { top: 3, runtime })
  expect(await counting.counts).toEqual({
    words: 4_000,
    distinct: 1_002,
    top: [
      ['even', 1_500],
      ['odd', 1_500],
      ['0', 1],
    ],
  })
  expect(counting.topology.stages).toHaveLength(9)
  expect(counting.topology.edges).toHaveLength(19)
  await expect.poll(() => runtime.topology().stages).toEqual([])
})

test('tells how many words have been counted by now', async () => {
  const gate = new AbortController()
  async function* texts() {
    for (let n = 0; n < 100; n++) {
      if (n === 50) await once(gate.signal, 'abort')
      yield 'one two three'
    }
  }
  const counting = await startCounting(texts, { top: 1, runtime })
  await expect.poll(() => counting.wordsByNow()).toBeGreaterThan(100)
  expect(await counting.wordsByNow()).toBeLessThanOrEqual(150)
  gate.abort()
  expect(await counting.counts).toEqual({ words: 300, distinct: 3, top: [['one', 100]] })
})

test('fails if the reading fails', async () => {
  const counting = await startCounting(broken, { top: 3, runtime })
  await expect(counting.counts).rejects.toMatchObject({ stage: 'report', reason: { type: 'error' } })
  await expect.poll(() => runtime.topology().stages).toEqual([])
})
