import { beforeAll, describe, expect, it } from 'vitest'
import { extract } from './snippets/extract.ts'
import { allPages } from './snippets/pages.ts'
import { prepare, root, type Suite } from './snippets/suite.ts'

const snippets = allPages(root).flatMap(extract)
let suite: Suite

beforeAll(() => {
  suite = prepare(snippets)
  return () => suite[Symbol.dispose]()
}, 60_000)

describe.concurrent('snippets of the documentation and of doc comments', () => {
  it.each(snippets.map(snippet => [`${snippet.file}:${snippet.line}`, snippet] as const))('%s', async (_, snippet) => {
    expect(await suite.problems(snippet)).toEqual([])
  })
})
