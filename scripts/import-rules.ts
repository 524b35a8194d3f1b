import { readdirSync, readFileSync } from 'node:fs'
import { circles, readImports, type Import } from './imports.ts'

export interface Rules {
  /** Packages whose files stand in layers, by name: groups of files in reading order. `x/*` is a whole folder. */
  readonly layers: Readonly<Record<string, readonly (readonly string[])[]>>
  /** What each package may import: of its siblings, and of others. */
  readonly packages: Readonly<Record<string, { readonly siblings: readonly string[]; readonly others: readonly string[] }>>
}

/** Everything below `root`/packages that breaks the rules, as sentences. */
export function brokenRules(root: string, { layers, packages }: Rules): readonly string[] {
  return readdirSync(`${root}/packages`).flatMap(name => {
    const { files, imports } = readImports(`${root}/packages/${name}/src`)
    const allowed = packages[name]
    const groups = layers[name]
    const broken = [
      ...(groups ? [...unlisted(files, groups), ...upward(imports, groups)] : []),
      ...(allowed ? across(imports, [...allowed.siblings.flatMap(sibling => entries(root, sibling)), ...allowed.others]) : []),
      ...(allowed ? [] : ['the package is not listed']),
      ...circles(imports).map(circle => `a circle: ${circle.join(' → ')}`),
    ]
    return broken.map(sentence => `packages/${name}/src: ${sentence}`)
  })
}

type Groups = readonly (readonly string[])[]

const layerOf = (file: string, groups: Groups): number => groups.findIndex(group => group.some(pattern => covers(pattern, file)))

const covers = (pattern: string, file: string): boolean =>
  pattern.endsWith('/*') ? file.startsWith(pattern.slice(0, -1)) : file === pattern

function unlisted(files: readonly string[], groups: Groups): readonly string[] {
  const without = files.filter(file => layerOf(file, groups) < 0)
  const stale = groups.flat().filter(pattern => !files.some(file => covers(pattern, file)))
  return [...without.map(file => `${file} stands in no layer`), ...stale.map(pattern => `${pattern} is listed, but not there`)]
}

function upward(imports: readonly Import[], groups: Groups): readonly string[] {
  return imports
    .filter(({ file, target }) => layerOf(file, groups) >= 0 && layerOf(target ?? file, groups) > layerOf(file, groups))
    .map(({ file, line, target }) => `${file}:${line} → ${target}, which stands in a later layer`)
}

/** Imports that leave the package other than by an allowed name. */
function across(imports: readonly Import[], allowed: readonly string[]): readonly string[] {
  return imports
    .filter(({ specifier, target }) => target === undefined && !allowed.includes(specifier))
    .map(({ file, line, specifier }) => {
      const why = specifier.startsWith('.') ? 'no source file of this package' : `not one of ${allowed.join(', ')}`
      return `${file}:${line} → ${specifier}, which is ${why}`
    })
}

/** The names under which a package can be imported. */
function entries(root: string, name: string): readonly string[] {
  const manifest = JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, 'utf8')) as { name: string; exports: object }
  return Object.keys(manifest.exports).map(path => manifest.name + path.slice(1))
}
