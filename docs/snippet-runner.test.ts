import { beforeAll, describe, expect, it } from 'vitest'
import { extract, type Snippet } from './snippets/extract.ts'
import { docComments } from './snippets/pages.ts'
import { prepare, type Suite } from './snippets/suite.ts'

const page = (...lines: string[]): readonly Snippet[] => extract({ file: 'page.md', text: lines.join('\n'), isComment: false })
const commented = (lines: readonly string[]): string =>
  ['/**', ...lines.map(line => ` * ${line}`), ' */', 'export const x = 1'].join('\n')

describe('finding snippets', () => {
  it('takes the blocks marked ts and no others, with the line where they begin', () => {
    const found = page('# Title', '```sh', 'npm test', '```', '```ts', 'one()', '```', '````md', '```ts', 'two()', '```', '````')
    expect(found.map(({ line, code }) => [line, code.trim()])).toEqual([[5, 'one()']])
  })

  it('joins a continued block with the one before it, each line at its place in the page', () => {
    const [snippet, ...others] = page('```ts', 'const x = 1', '```', 'and then', '```ts continued', 'console.log(x)', '```')
    expect(others).toEqual([])
    expect(snippet?.code.split('\n')).toEqual(['', 'const x = 1', '', '', '', 'console.log(x)'])
  })

  it('strips the indentation of a block in a list and the stars of a doc comment', () => {
    expect(page('- so:', '  ```ts', '  if (x)', '    y()', '  ```')[0]?.code).toBe('\n\nif (x)\n  y()')
    const comments = docComments('source.ts', commented(['Example:', '```ts', 'if (x)', '  y()', '```']))
    expect(comments.flatMap(extract)[0]?.code).toBe('\n\n\nif (x)\n  y()')
  })

  it.each([
    ['an unknown word', ['```ts norun', '```'], 'not "norun"'],
    ['the long name of the language', ['```typescript', '```'], 'marked ts, not typescript'],
    ['a continuation of nothing', ['```ts continued', '```'], 'no snippet to continue'],
    ['a block without an end', ['```ts', 'x()'], 'not closed'],
  ])('refuses %s', (_, lines, message) => {
    expect(() => page(...lines)).toThrow(message)
  })
})

const containing = (text: string): unknown[] => [expect.stringContaining(text)]
const definition = 'const Numbers: ProducerDefinition<number> = fromIterable([1, 2])'

/** A page, or a doc comment, of one snippet each, and what is wrong with it. */
const cases: readonly { title: string; lines: string[]; comment?: boolean; limitMs?: number; problems: unknown[] }[] = [
  {
    title: 'accepts what prints as promised, also over several lines and in callbacks',
    lines: [
      'for (const n of [1, 2]) console.log(n) // => 1',
      '// => 2',
      'void [3].map(n => console.log({ n })) // => { n: 3 }',
      'console.log("no promise")',
    ],
    problems: [],
  },
  {
    title: 'takes a promise further down for the nearest console.log above',
    lines: ['const later = () => console.log("now")', 'later()', '// => now'],
    problems: [],
  },
  {
    title: 'fails on another value',
    lines: ['console.log([1, 2].length) // => 3'],
    problems: ['line 2: should print\n  3\nbut printed\n  2'],
  },
  {
    title: 'fails on a line printed too often',
    lines: ['for (const n of [1, 2]) console.log(n) // => 1'],
    problems: ['line 2: should print\n  1\nbut printed\n  1\n  2'],
  },
  {
    title: 'fails on a line printed too seldom',
    lines: ['console.log(1) // => 1', '// => 2'],
    problems: ['line 2: should print\n  1\n  2\nbut printed\n  1'],
  },
  {
    title: 'fails on a line never reached',
    lines: ['if (Date.now() < 0) console.log(1) // => 1'],
    problems: ['line 2: should print\n  1\nbut printed\n  (nothing)'],
  },
  {
    title: 'fails on a promise that no console.log can keep',
    lines: ['const n = 1 // => 1', 'void n'],
    problems: ['line 2: nothing prints what stands after "// =>"'],
  },
  {
    title: 'fails on a type error, with the line of the page',
    lines: ['void 0', 'const n: number = "one"', 'void n'],
    problems: [`line 3: Type 'string' is not assignable to type 'number'.`],
  },
  { title: 'fails on what is thrown', lines: ['throw new RangeError("now")'], problems: containing('RangeError: now') },
  {
    title: 'fails on what is thrown later',
    lines: ['setTimeout(() => { throw new RangeError("later") }, 1)'],
    problems: containing('RangeError: later'),
  },
  {
    title: 'fails on a timer left running',
    lines: ['setInterval(() => {}, 1_000)'],
    limitMs: 1_500,
    problems: ['still running after 1500 ms'],
  },
  {
    title: 'fails on a loop without end',
    lines: ['for (;;) {}'],
    limitMs: 1_500,
    problems: ['still running after 1500 ms'],
  },
  {
    title: 'fails on a promise that never settles',
    lines: ['await new Promise(() => {})'],
    problems: containing('never settles'),
  },
  {
    title: 'runs the lines that are given',
    lines: ['// given: const rows = [1, 2]', 'console.log(rows.length) // => 2'],
    problems: [],
  },
  {
    title: 'adds to a doc comment the imports of the names it uses',
    lines: [definition, 'console.log(Numbers.type) // => producer'],
    comment: true,
    problems: [],
  },
  {
    title: 'adds none to a page, which a reader copies as it stands',
    lines: [definition],
    problems: [expect.stringContaining(`'ProducerDefinition'`), `line 2: Cannot find name 'fromIterable'.`],
  },
]

describe.concurrent('running snippets', () => {
  const snippets = cases.map(({ lines, comment }, index) => {
    const block = ['```ts', ...lines, '```']
    const pages = comment
      ? docComments(`case-${index}.ts`, commented(block))
      : [{ file: `case-${index}.md`, text: block.join('\n'), isComment: false }]
    return pages.flatMap(extract)
  })
  const unrun = ['throw new Error("not run")', 'const n: number = "one"'].flatMap(line => page('```ts no-run', line, '```'))
  let suite: Suite
  beforeAll(() => {
    suite = prepare(snippets.flat())
    return () => suite[Symbol.dispose]()
  }, 60_000)

  it.each(cases.map((each, index) => [each.title, each, snippets[index] ?? []] as const))('%s', async (_, each, [snippet]) => {
    if (!snippet) throw new Error('the case has no snippet')
    expect(await suite.problems(snippet, { limitMs: each.limitMs ?? 5_000 })).toEqual(each.problems)
  })

  it('type-checks a no-run block and leaves it at that', async () => {
    for (const [index, snippet] of unrun.entries()) {
      using alone = prepare([snippet])
      expect(await alone.problems(snippet)).toHaveLength(index)
    }
  })
})
