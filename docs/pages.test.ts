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

describe('the page on the architecture', () => {
  it('names every source file of core, and no other', () => {
    const named = [...read('docs/architecture.md').matchAll(/`([\w/-]+\.ts)`/g)].map(([, file]) => file)
    const files = filesBelow('packages/core/src', '.ts').map(file => relative('packages/core/src', file))
    expect([...new Set(named)].sort()).toEqual([...files].sort())
  })
})

describe('the page of rules', () => {
  const page = read('docs/rules.md')
  const items = [...page.matchAll(/^- \*\*([A-Z0-9 ]+)\*\*/gm)].flatMap(([, ids = '']) => ids.split(' '))
  const invariants = [...page.matchAll(/INV-\d+/g)].map(([id]) => id)
  const known = new Set([...items.map(id => (id.startsWith('X') ? id : `GS-${id}`)), ...invariants])

  it('has every rule that a source or a test names', () => {
    const sources = ['packages', 'docs'].flatMap(folder => [...filesBelow(folder, '.ts'), ...filesBelow(folder, '.md')])
    const cited = new Set(
      sources.flatMap(file =>
        [...read(file).matchAll(/\b(?:GS-[A-Z]{1,2}|INV-|(?<=[ (,/'])X)\d+\b/g)].map(([id]) => id.replace('GS-X', 'X')),
      ),
    )
    // Named on the page as not adopted, or as what is planned
    const others = ['X7', 'X10', 'X18', 'X21', 'X22']
    expect([...cited].filter(id => !known.has(id) && !others.includes(id))).toEqual([])
  })
})
