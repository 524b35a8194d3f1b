import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A text with fenced blocks: a Markdown file, or one doc comment with everything around it blanked, so that lines keep their numbers. */
export interface Page {
  /** Relative to the repository. */
  readonly file: string
  readonly text: string
  /** Blocks of a doc comment get their imports added; blocks of a Markdown page are shown whole. */
  readonly isComment: boolean
}

/** Every page whose snippets must hold: the READMEs, the documentation, the doc comments of all packages. */
export function allPages(root: string): readonly Page[] {
  const packages = readdirSync(join(root, 'packages')).map(name => `packages/${name}`)
  const markdown = [
    'README.md',
    ...filesBelow(root, 'docs', '.md'),
    ...packages.map(folder => `${folder}/README.md`).filter(file => existsSync(join(root, file))),
  ]
  const sources = packages.flatMap(folder => filesBelow(root, `${folder}/src`, '.ts'))
  return [
    ...markdown.map(file => ({ file, text: readFileSync(join(root, file), 'utf8'), isComment: false })),
    ...sources.flatMap(file => docComments(file, readFileSync(join(root, file), 'utf8'))),
  ]
}

/** The doc comments of a source file that have fenced blocks, each as a page of its own. */
export function docComments(file: string, source: string): readonly Page[] {
  const pages: Page[] = []
  let comment: string[] | undefined
  source.split('\n').forEach((line, index) => {
    if (comment === undefined && /^\s*\/\*\*(?!.*\*\/)/.test(line)) comment = new Array<string>(index).fill('')
    if (comment === undefined) return
    comment.push(line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, ''))
    if (!line.includes('*/')) return
    pages.push({ file, text: comment.join('\n'), isComment: true })
    comment = undefined
  })
  return pages.filter(page => page.text.includes('```'))
}

function filesBelow(root: string, folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith(ending) && !file.includes('node_modules'))
    .map(file => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort()
}
