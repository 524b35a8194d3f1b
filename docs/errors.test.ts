import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const source = (file: string): string => read(`../packages/core/src/${file}`)
const page = read('errors.md')

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}

/** The words of an exported union type, as they stand in its source. */
function wordsOf(type: string, file: string): readonly string[] {
  const [, union = ''] = new RegExp(`export type ${type} =\\n((?:  (?:\\||//).*\\n)+)`).exec(source(file)) ?? []
  return [...union.matchAll(/\| '(\w+)'/g)].map(([, word = '']) => word)
}

function partOf(heading: string): string {
  const [, part = ''] = new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page) ?? []
  return part
}

/** The first column of the table under a heading. */
function firstColumn(heading: string): readonly string[] {
  return [...partOf(heading).matchAll(/^\| `(\w+)`/gm)].map(([, word = '']) => word)
}

describe('the page on errors', () => {
  const codes = wordsOf('ErrorCode', 'errors.ts')

  it('has a section for every code, in the order of the source, and for nothing else', () => {
    expect(codes).toContain('BAD_OPTION')
    expect([...page.matchAll(/^## ([A-Z_]+)$/gm)].map(([, code]) => code)).toEqual(codes)
  })

  it.each(codes)('shows %s in a program, and says what to do', code => {
    expect(partOf(code)).toMatch(/```ts\n[\s\S]*\/\/ => /)
    expect(partOf(code)).toContain('**What to do**: ')
  })

  it('links every section at the top', () => {
    for (const code of codes) expect(page).toContain(`[${code}](#${code.toLowerCase()})`)
  })

  it('has every code of the log, with its level', () => {
    const levels = [...source('logger.ts').matchAll(/^ {2}(\w+): '(debug|info|warn|error)',$/gm)].map(([, code, level]) => [
      code,
      level,
    ])
    expect(levels.map(([code]) => code)).toEqual(wordsOf('LogCode', 'logger.ts'))
    expect([...partOf('Lines of the log').matchAll(/^\| `(\w+)` +\| (\w+)/gm)].map(([, code, level]) => [code, level])).toEqual(
      levels,
    )
  })

  it('has every reason of discarded events', () => {
    expect(firstColumn('Reasons of discarded events')).toEqual(wordsOf('DiscardReason', 'types.ts'))
  })
})
