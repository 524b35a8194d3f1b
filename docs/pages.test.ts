import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith(ending) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map(file => `${folder}/${file}`)
}

const pages = [
  ...readdirSync(root).filter(file => file.endsWith('.md')),
  ...['docs', 'packages', 'benchmarks', 'examples'].flatMap(folder => filesBelow(folder, '.md')),
]

/** What GitHub makes of the headings of a page. */
function anchors(page: string): readonly string[] {
  const headings = [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text)
  return headings.map(text =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '')
}

/** Links that lead nowhere, as sentences. */
function brokenLinks(page: string): readonly string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.flatMap(link => {
    if (/^https?:/.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : relative(root, join(root, dirname(page), path))
    if (!existsSync(join(root, target))) return [`${link}: there is no ${target}`]
    if (anchor === undefined || statSync(join(root, target)).isDirectory()) return []
    return anchors(target).includes(anchor) ? [] : [`${link}: no such heading`]
  })
}

describe('the pages', () => {
  it.each(pages)('%s has no link that leads nowhere', page => {
    expect(brokenLinks(page)).toEqual([])
  })

  it('has every page of the documentation in its index', () => {
    const index = read('docs/README.md')
    const missing = filesBelow('docs', '.md').filter(file => file !== 'docs/README.md' && file !== 'docs/performance.md')
    expect(missing.filter(file => !index.includes(`(${relative('docs', file)})`))).toEqual([])
  })
})

describe('the pages of the guide', () => {
  const guide = filesBelow('docs/guide', '.md')
    .map(file => relative('docs/guide', file))
    .sort()

  it.each(guide.map((file, index) => [file, guide[index + 1] ?? '../errors-jobs.md'] as const))(
    '%s leads on to %s',
    (file, next) => {
      const [last = ''] = read(`docs/guide/${file}`).trim().split('\n\n').slice(-1)
      expect(last.replaceAll('\n', ' ')).toMatch(new RegExp(`Next: .*\\(${next.replaceAll('.', '\\.')}\\)`))
    },
  )

  it('are counted in the README', () => {
    expect(read('README.md')).toContain(`in ${guide.length} pages`)
  })
})

describe('the page on the architecture', () => {
  it('names every package, with its entries', () => {
    const [, table = ''] = /^## Packages\n([^]*?)^What /m.exec(read('docs/architecture.md')) ?? []
    const named = [...table.matchAll(/^\| `@genstage\/(\w+)` +\| ([^|]+)\|/gm)].map(([, name = '', entries = '']) => [
      name,
      [...entries.matchAll(/`(\.[^`]*)`/g)].map(([, entry]) => entry).sort(),
    ])
    const found = readdirSync(join(root, 'packages')).map(name => {
      const { exports } = JSON.parse(read(`packages/${name}/package.json`)) as { exports: Record<string, unknown> }
      return [
        name,
        Object.keys(exports)
          .filter(entry => entry !== './package.json')
          .sort(),
      ]
    })
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(found))
  })

  it('names every source file of core, and no other', () => {
    const named = [...read('docs/architecture.md').matchAll(/`([\w/-]+\.ts)`/g)].map(([, file]) => file)
    const files = filesBelow('packages/core/src', '.ts').map(file => relative('packages/core/src', file))
    expect([...new Set(named)].sort()).toEqual([...files].sort())
  })
})

describe('the page of rules', () => {
  const page = read('docs/rules.md')
  const items = [...page.matchAll(/^- \*\*([A-Z0-9 ]+)\*\*/gm)].flatMap(([, ids = '']) => ids.split(' '))
  const rows = [...page.matchAll(/^\| ([A-Z]+-?[A-Z]?\d+) +\|/gm)].map(([, id = '']) => id)
  /** A row of several: `BAD-1 to BAD-12`. */
  const ranges = [...page.matchAll(/^\| ([A-Z]+-)(\d+) to \1(\d+) +\|/gm)].flatMap(([, prefix = '', from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${prefix}${Number(from) + index}`),
  )
  const known = new Set([...items.map(id => (id.startsWith('X') ? id : `GS-${id}`)), ...rows, ...ranges])
  const ids = /\b(?:GS-[A-Z]{1,2}\d+|(?:INV|JOB|BAD|GOAL)-\d+|(?:ROW|SYS)-[A-Z]\d+|F\d\d?|(?<=[ (,/'])X\d+)\b/g

  it('has every id that a source, a test, an example or another page names', () => {
    const files = ['packages', 'docs', 'examples', 'benchmarks'].flatMap(folder =>
      ['.ts', '.md'].flatMap(ending => filesBelow(folder, ending)),
    )
    const texts = files.filter(file => file !== 'docs/rules.md').map(read)
    const cited = new Set(texts.flatMap(text => [...text.matchAll(ids)].map(([id]) => id.replace('GS-X', 'X'))))
    // Named on the page as not adopted, or as what is planned
    const others = ['X7', 'X10', 'X18', 'X21', 'X22']
    expect([...cited].filter(id => !known.has(id) && !others.includes(id))).toEqual([])
  })

  it('has each of them once', () => {
    expect(rows.filter((id, index) => rows.indexOf(id) !== index)).toEqual([])
  })
})
