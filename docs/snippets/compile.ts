import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** Where a name comes from that a doc comment may use without importing it. */
export interface Exported {
  readonly specifier: string
  readonly isType: boolean
}

export type Exports = ReadonlyMap<string, Exported>

/** Everything the packages export, by name; where two entries share a name, the first of them. */
export function packageExports(root: string): Exports {
  const entries = readdirSync(join(root, 'packages')).flatMap(name => sourceEntries(root, `packages/${name}`))
  const program = ts.createProgram({ rootNames: entries.map(entry => entry.file), options: compilerOptions(root) })
  const checker = program.getTypeChecker()
  const exports = new Map<string, Exported>()
  for (const { specifier, file } of entries) {
    const source = program.getSourceFile(file)
    const entry = source && checker.getSymbolAtLocation(source)
    if (!entry) throw new Error(`${specifier}: cannot read ${file}`)
    for (const symbol of checker.getExportsOfModule(entry)) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      const isType = (target.flags & ts.SymbolFlags.Value) === 0
      if (!exports.has(symbol.name)) exports.set(symbol.name, { specifier, isType })
    }
  }
  return exports
}

/** The import lines that a snippet leaves out: each exported name that it uses and does not declare itself. */
export function missingImports(code: string, exports: Exports): string {
  const source = ts.createSourceFile('snippet.mts', code, ts.ScriptTarget.Latest, true)
  const declared = new Set(source.statements.flatMap(declaredNames))
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isMemberName(node)) used.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...used]
    .filter(name => !declared.has(name))
    .flatMap(name => {
      const { specifier, isType } = exports.get(name) ?? {}
      return specifier === undefined ? [] : [`import ${isType ? 'type ' : ''}{ ${name} } from '${specifier}'`]
    })
    .join('\n')
}

/** Type-checks all modules as one program; gives the errors of those that have some. */
export function typeErrors(root: string, modules: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const options = compilerOptions(root)
  const host = ts.createCompilerHost(options)
  host.fileExists = file => modules.has(file) || ts.sys.fileExists(file)
  host.readFile = file => modules.get(file) ?? ts.sys.readFile(file)
  const program = ts.createProgram({ rootNames: [...modules.keys()], options, host })
  return new Map(
    [...modules.keys()].map(file => {
      const source = program.getSourceFile(file)
      return [file, [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(sentence)]
    }),
  )
}

function sentence({ file, start, messageText }: ts.Diagnostic): string {
  const line = file && start !== undefined ? `line ${file.getLineAndCharacterOfPosition(start).line + 1}: ` : ''
  return line + ts.flattenDiagnosticMessageText(messageText, '\n')
}

function compilerOptions(root: string): ts.CompilerOptions {
  const { config, error } = ts.readConfigFile(join(root, 'tsconfig.json'), file => readFileSync(file, 'utf8'))
  if (error) throw new Error(sentence(error))
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options
}

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>
}

function sourceEntries(root: string, folder: string): readonly { specifier: string; file: string }[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
  return Object.entries(manifest.exports).flatMap(([path, conditions]) => {
    const file = typeof conditions === 'object' ? conditions['@genstage/source'] : undefined
    return typeof file === 'string' ? [{ specifier: manifest.name + path.slice(1), file: join(root, folder, file) }] : []
  })
}

function isMemberName(node: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name))
  if (ts.isImportDeclaration(statement)) {
    const { name, namedBindings } = statement.importClause ?? {}
    const named = namedBindings && ts.isNamedImports(namedBindings) ? namedBindings.elements.map(each => each.name.text) : []
    const whole = namedBindings && ts.isNamespaceImport(namedBindings) ? [namedBindings.name.text] : []
    return [...(name ? [name.text] : []), ...named, ...whole]
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement)
  return isNamed && statement.name ? [statement.name.text] : []
}

function boundNames(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap(element => (ts.isBindingElement(element) ? boundNames(element.name) : []))
}
