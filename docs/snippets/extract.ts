import type { Page } from './pages.ts'

/** One program of a page: a block, and the blocks that continue it. */
export interface Snippet {
  readonly file: string
  /** Where it begins in the file; the lines of `code` have the same numbers as those of the file. */
  readonly line: number
  readonly code: string
  /** False for a block that is only type-checked. */
  readonly runs: boolean
  readonly isComment: boolean
}

interface Fence {
  /** What must stand at the start of the line that closes it. */
  readonly ticks: string
  readonly indent: string
  readonly code: string[] | undefined
}

interface Draft {
  readonly line: number
  readonly code: string[]
  readonly runs: boolean
}

/** The snippets of a page. A fence that would silently go unchecked is an error. */
export function extract(page: Page): readonly Snippet[] {
  const drafts: Draft[] = []
  let fence: Fence | undefined
  page.text.split('\n').forEach((line, index) => {
    if (fence === undefined) {
      const [, indent = '', ticks, language = '', words = ''] = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? []
      if (ticks === undefined) return
      fence = { ticks, indent, code: openBlock(`${page.file}:${index + 1}`, language, words, index, drafts) }
    } else if (line.trim().startsWith(fence.ticks)) {
      fence = undefined
    } else if (fence.code) {
      const text = line.startsWith(fence.indent) ? line.slice(fence.indent.length) : line
      padTo(index, fence.code).push(text.replace(/^(\s*)\/\/ given: /, '$1'))
    }
  })
  if (fence) throw new Error(`${page.file}: a fenced block is not closed`)
  return drafts.map(({ line, code, runs }) => ({
    file: page.file,
    line,
    code: code.join('\n'),
    runs,
    isComment: page.isComment,
  }))
}

/** Where the lines of a block go that has just been opened, or undefined if it is no snippet. */
function openBlock(at: string, language: string, words: string, line: number, drafts: Draft[]): string[] | undefined {
  if (language === 'typescript') throw new Error(`${at}: a snippet is marked ts, not typescript`)
  if (language !== 'ts') return undefined
  if (words === 'continued') {
    const last = drafts.at(-1)
    if (!last) throw new Error(`${at}: there is no snippet to continue`)
    return last.code
  }
  if (words !== '' && words !== 'no-run') throw new Error(`${at}: after ts comes nothing, no-run or continued, not "${words}"`)
  const draft: Draft = { line: line + 1, code: [], runs: words !== 'no-run' }
  drafts.push(draft)
  return draft.code
}

function padTo(length: number, lines: string[]): string[] {
  while (lines.length < length) lines.push('')
  return lines
}
