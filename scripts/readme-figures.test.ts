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

  it('leave out a peer that has none of the workloads', () => {
    const page = [
      '### genstage divided by each peer',
      '',
      '| peer | WL-1 | WL-8a |',
      '| - | - | - |',
      '| one | 2 | - |',
      '| two | - | 3 |',
    ]
    expect(cells(figures(page.join('\n'))).slice(1)).toEqual([['', 'one', '2', '', '', '', '', '', '']])
  })

  it('cannot be made of a page without ratios', () => {
    expect(() => figures('# Performance')).toThrow('no table of ratios')
  })
})
