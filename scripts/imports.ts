import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'

/** One arrow: `import`, `import type`, `export … from`, `import('…')`. Files are written without their ending, as `dispatchers/demand`. */
export interface Import {
  readonly file: string
  readonly line: number
  readonly specifier: string
  /** The file of the same folder that is meant; undefined if it is outside. */
  readonly target: string | undefined
}

/** All source files below a folder and everything they import. */
export function readImports(folder: string): { readonly files: readonly string[]; readonly imports: readonly Import[] } {
  const paths = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const files = paths
    .filter(path => path.endsWith('.ts'))
    .map(path => path.replaceAll('\\', '/').slice(0, -'.ts'.length))
    .sort()
  return { files, imports: files.flatMap(file => importsOf(file, readFileSync(`${folder}/${file}.ts`, 'utf8'), files)) }
}

function importsOf(file: string, text: string, files: readonly string[]): readonly Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => {
    const path = posix.join(posix.dirname(file), fileName).replace(/\.ts$/, '')
    const target = fileName.startsWith('.') && files.includes(path) ? path : undefined
    return { file, line: text.slice(0, pos).split('\n').length, specifier: fileName, target }
  })
}

/** The circles that imports make, each as the files along it, ending with the one it began with. */
export function circles(imports: readonly Import[]): readonly (readonly string[])[] {
  const targets = new Map<string, string[]>()
  for (const { file, target } of imports) {
    if (target !== undefined) targets.set(file, [...(targets.get(file) ?? []), target])
  }
  const found: string[][] = []
  const finished = new Set<string>()
  const way: string[] = []
  const visit = (file: string): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file])
    if (way.includes(file) || finished.has(file)) return
    way.push(file)
    for (const target of new Set(targets.get(file))) visit(target)
    way.pop()
    finished.add(file)
  }
  for (const file of targets.keys()) visit(file)
  return found
}
