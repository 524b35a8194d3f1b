/** Copies the ratios of docs/performance.md into the README: `npm run figures`, after the benchmarks have been run with --write. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
export const readme = fileURLToPath(new URL('README.md', root))
export const performancePage = fileURLToPath(new URL('docs/performance.md', root))

const [begin, end] = ['<!-- figures:begin -->', '<!-- figures:end -->']

/** The workloads that the README shows, and what they are. */
const shown: Readonly<Record<string, string>> = {
  'WL-1': 'source → sink',
  'WL-2': 'two stages between',
  'WL-3': 'broadcast to 4',
  'WL-4': 'partition over 4',
  'WL-6': '4 sources into 1',
  'WL-7': 'demand 1',
}

/** The block of the README, made of the table of ratios on the page. */
export function figures(page: string): string {
  const [, after = ''] = page.split('### genstage divided by each peer')
  const rows = after
    .trim()
    .split('\n')
    .filter((line, index, lines) => lines.slice(0, index + 1).every(each => each.startsWith('|')))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
  const [header = [], , ...body] = rows
  if (body.length === 0) throw new Error('docs/performance.md has no table of ratios')
  const columns = Object.keys(shown).map(id => header.indexOf(id))
  const ratios = body.map(cells => [cells[0] ?? '', ...columns.map(column => cells[column] ?? '')])
  const table = [
    ['times faster than', ...Object.values(shown)],
    header.slice(0, columns.length + 1).map((_, index) => (index === 0 ? '---' : '--:')),
    // A peer that has none of these workloads has nothing to say here
    ...ratios.filter(([, ...cells]) => cells.some(cell => cell !== '-' && cell !== '')),
  ]
  return table.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** The README with its block replaced. */
export function withFigures(text: string, block: string): string {
  const [before, rest] = text.split(begin)
  const [, after] = rest?.split(end) ?? []
  if (before === undefined || after === undefined) throw new Error(`README.md lacks the lines ${begin} and ${end}`)
  return `${before}${begin}\n\n${block}\n\n${end}${after}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), figures(readFileSync(performancePage, 'utf8'))))
}
