import { describe, expect, it } from 'vitest'
import { check } from '../conformance/check.ts'
import { fixtures } from '../conformance/fixtures/index.js'
import { toEntries } from '../conformance/scenario.ts'

describe.each(Object.entries(fixtures))('the traces of %s', (_file, content) => {
  it.each(toEntries(content).map(entry => [entry.scenario.name, entry] as const))('%s', async (_name, entry) => {
    const verdict = await check(entry)
    expect(verdict.type === 'failed' ? verdict.lines : []).toEqual([])
  })
})
