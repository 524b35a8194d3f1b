import { describe, expect, it } from 'vitest'
import { check } from '../conformance/check.ts'
import { fixtures } from '../conformance/fixtures/index.js'
import { entriesIn, toEntry } from '../conformance/format.ts'

describe.each(Object.entries(fixtures))('the traces of %s', (_file, content) => {
  const entries = entriesIn(content).map(toEntry)
  it.each(entries.map(entry => [entry.scenario.name, entry] as const))('%s', async (_name, entry) => {
    const verdict = await check(entry)
    expect(verdict.type === 'failed' ? verdict.lines : []).toEqual([])
  })
})
