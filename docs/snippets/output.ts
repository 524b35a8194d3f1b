import ts from 'typescript'

/** Lines that each `console.log` of a snippet must print, or did print, by the line of the file where the call ends. */
export type Output = ReadonlyMap<number, readonly string[]>

/**
 * What the comments `// =>` promise, each for the `console.log` on its line or else for the nearest above. One that has none
 * would go unchecked: `misplaced` says so.
 */
export function expectedOutput(code: string): { readonly output: Output; readonly misplaced: readonly string[] } {
  const logs = new Set(consoleLogs(code).map(log => log.line))
  const output = new Map<number, string[]>()
  const misplaced: string[] = []
  let log: number | undefined
  code.split('\n').forEach((text, index) => {
    const line = index + 1
    if (logs.has(line)) log = line
    const promise = /\/\/ =>(.*)$/.exec(text)?.[1]
    if (promise === undefined) return
    if (log === undefined) misplaced.push(`line ${line}: nothing prints what stands after "// =>"`)
    else output.set(log, [...(output.get(log) ?? []), promise.trim()])
  })
  return { output, misplaced }
}

/** The snippet with every `console.log` replaced by `recorder(line)`: a function that prints. No line moves. */
export function withRecorder(code: string, recorder: string): string {
  let result = code
  for (const { start, end, line } of consoleLogs(code).reverse()) {
    result = `${result.slice(0, start)}${recorder}(${line})${result.slice(end)}`
  }
  return result
}

/** What differs, as sentences. A `console.log` without a promise may print anything. */
export function compareOutput(expected: Output, printed: Output): readonly string[] {
  return [...expected].flatMap(([line, promised]) => {
    const actual = (printed.get(line) ?? []).map(text => text.trim())
    if (promised.join('\n') === actual.join('\n')) return []
    return [`line ${line}: should print\n${indented(promised)}\nbut printed\n${indented(actual)}`]
  })
}

function indented(lines: readonly string[]): string {
  return lines.length === 0 ? '  (nothing)' : lines.map(line => `  ${line}`).join('\n')
}

interface ConsoleLog {
  readonly start: number
  readonly end: number
  readonly line: number
}

function consoleLogs(code: string): ConsoleLog[] {
  const source = ts.createSourceFile('snippet.mts', code, ts.ScriptTarget.Latest, true)
  const found: ConsoleLog[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && node.getText(source) === 'console.log') {
      const isCalled = ts.isCallExpression(node.parent) && node.parent.expression === node
      const whole = isCalled ? node.parent : node
      const line = source.getLineAndCharacterOfPosition(whole.getEnd()).line + 1
      found.push({ start: node.getStart(source), end: node.getEnd(), line })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
