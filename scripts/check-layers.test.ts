import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { brokenRules, type Rules } from './import-rules.ts'

const rules: Rules = {
  layers: { core: [['words'], ['queue', 'parts/*'], ['index']] },
  packages: { core: { siblings: [], others: ['eventemitter3'] }, testing: { siblings: ['core'], others: [] } },
}

/** A tree that keeps the rules. */
const sound = {
  'packages/core/package.json': '{ "name": "@genstage/core", "exports": { ".": {}, "./protocol": {} } }',
  'packages/core/src/words.ts': `import { EventEmitter } from 'eventemitter3'`,
  'packages/core/src/queue.ts': `import type { A } from './words.ts'`,
  'packages/core/src/parts/one.ts': `import { a } from '../words.ts'; export { b } from '../queue.ts'`,
  'packages/core/src/index.ts': `export * from './parts/one.ts'`,
  'packages/testing/package.json': '{ "name": "@genstage/testing", "exports": { ".": {} } }',
  'packages/testing/src/index.ts': `import '@genstage/core'; import '@genstage/core/protocol'`,
}

const folders: string[] = []
afterEach(() => folders.splice(0).forEach(folder => rmSync(folder, { recursive: true })))

function brokenBy(change: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  folders.push(root)
  for (const [file, text] of Object.entries({ ...sound, ...change })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return brokenRules(root, rules)
}

it('accepts imports of the same layer, of earlier ones, and of packages by their names', () => {
  expect(brokenBy({})).toEqual([])
})

const queue = 'packages/core/src/queue.ts'
it.each([
  ['a value of a later layer', queue, `\nimport { i } from './index.ts'`, 'queue:2 → index, which stands in a later layer'],
  ['a type of a later layer', queue, `import type { I } from './index.ts'`, 'queue:1 → index, which stands'],
  ['a type written as import()', queue, `export type I = import('./index.ts').I`, 'queue:1 → index, which stands'],
  ['a circle inside a layer', queue, `import type { B } from './parts/one.ts'`, 'a circle: parts/one → queue → parts/one'],
  ['a file in no layer', 'packages/core/src/extra.ts', '', 'extra stands in no layer'],
  ['an unlisted dependency', queue, `import 'node:fs'`, 'queue:1 → node:fs, which is not one of eventemitter3'],
  ['an import of a later package', queue, `import '@genstage/testing'`, 'queue:1 → @genstage/testing, which is not one of'],
  [
    'a deep import',
    'packages/testing/src/index.ts',
    `import '@genstage/core/src/queue.ts'`,
    'index:1 → @genstage/core/src/queue.ts',
  ],
  [
    'a path into another package',
    'packages/testing/src/index.ts',
    `import '../../core/src/queue.ts'`,
    'no source file of this package',
  ],
  ['a package in no list', 'packages/more/src/index.ts', '', 'packages/more/src: the package is not listed'],
])('names %s', (_, file, text, sentence) => {
  expect(brokenBy({ [file]: text }).join('\n')).toContain(sentence)
})

it('names a listed file that is not there', () => {
  const stale = { ...rules, layers: { core: [...(rules.layers['core'] ?? []), ['gone']] } }
  brokenBy({})
  expect(brokenRules(folders.at(-1) ?? '', stale)).toEqual(['packages/core/src: gone is listed, but not there'])
})
