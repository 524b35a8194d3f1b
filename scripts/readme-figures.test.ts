import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { figures, performancePage, readme } from './readme-figures.ts'

/** A table without what a formatter adds to line it up. */
function cells(text: string): readonly string[][] {
  const rows = text.split('\n').filter(line => line.startsWith('|') && !/^[|:\s-]+$/.test(line))
  return rows.map(row => row.split('|').map(cell => cell.trim()))
}

describe('the figures of the README', () => {
  it('are those of docs/performance.md', () => {
    const [, block = ''] = /<!-- figures:begin -->([^]*)<!-- figures:end -->/.exec(readFileSync(readme, 'utf8')) ?? []
    expect(cells(block)).toEqual(cells(figures(readFileSync(performancePage, 'utf8'))))
  })

  it('cannot be made of a page without ratios', () => {
    expect(() => figures('# Performance')).toThrow('no table of ratios')
  })
})
