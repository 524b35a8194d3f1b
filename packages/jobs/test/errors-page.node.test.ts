import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
const page = read('docs/errors-jobs.md')
const [, union = ''] = /export type JobsErrorCode =\n((?: {2}(?:\||\/\/).*\n)+)/.exec(read('packages/jobs/src/errors.ts')) ?? []
const codes = [...union.matchAll(/\| '(\w+)'/g)].map(([, code = '']) => code)
const partOf = (code: string): string => new RegExp(`^## ${code}\\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(page)?.[1] ?? ''

describe('the page on errors of jobs', () => {
  it('has a section for every code, in the order of the source, and for nothing else', () => {
    expect(codes).toContain('BAD_PAYLOAD')
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, code]) => code)).toEqual(codes)
  })

  it.each(codes)('says what to do about %s, and links it at the top', code => {
    expect(partOf(code)).toContain('**What to do**: ')
    expect(page).toContain(`[${code}](#${code.toLowerCase()})`)
  })
})
