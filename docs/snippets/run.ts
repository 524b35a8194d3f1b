import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { compareOutput, expectedOutput, withRecorder } from './output.ts'

export interface RunOptions {
  /** How long a snippet may take, once its imports are loaded, until nothing of it runs any more. Default 5,000. */
  readonly limitMs?: number
}

/** The file descriptor on which a snippet tells what it printed, apart from whatever else stands on its output. */
const RECORD = 3

/** How long a snippet may take to load: much, on a machine that runs many of them at once. */
const LOAD_LIMIT_MS = 30_000

const recorder = `
import { writeSync as __writeSync } from 'node:fs'
import { format as __format } from 'node:util'
function __log(line) {
  return (...values) => void __writeSync(${RECORD}, JSON.stringify([line, __format(...values)]) + '\\n')
}
`

/** Runs a snippet as a program of its own, in `file`. Gives what went wrong, as sentences: empty if all is well. */
export async function run(file: string, code: string, { limitMs = 5_000 }: RunOptions = {}): Promise<readonly string[]> {
  const { output: expected, misplaced } = expectedOutput(code)
  if (misplaced.length > 0) return misplaced
  // Line 0: the imports are loaded.
  writeFileSync(file, `__log(0)('');${withRecorder(code, '__log')}${recorder}`)
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@genstage/source', file], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  })
  let late = false
  const kill = (): void => {
    late = child.kill('SIGKILL')
  }
  let limit = setTimeout(kill, LOAD_LIMIT_MS)
  const loaded = (): void => {
    clearTimeout(limit)
    limit = setTimeout(kill, limitMs)
  }
  const [records, noise, exitCode] = await Promise.all([
    textOf(child.stdio[RECORD] as Readable, loaded),
    textOf(child.stdio[2] as Readable),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    }),
  ])
  clearTimeout(limit)
  return [
    ...(late ? [`still running after ${limitMs} ms`] : []),
    ...(late || exitCode === 0 ? [] : [exitSentence(exitCode, noise)]),
    ...compareOutput(expected, printedLines(records)),
  ]
}

function exitSentence(exitCode: number | null, noise: string): string {
  // Node's own code for a top-level await that nothing will ever settle.
  const why = exitCode === 13 ? 'a top-level await never settles' : `exit code ${exitCode}`
  return `${why}\n${noise}`.trimEnd()
}

function printedLines(records: string): ReadonlyMap<number, readonly string[]> {
  const printed = new Map<number, string[]>()
  for (const record of records.split('\n').filter(Boolean)) {
    const [line, text] = JSON.parse(record) as [number, string]
    printed.set(line, [...(printed.get(line) ?? []), ...text.split('\n')])
  }
  return printed
}

async function textOf(stream: Readable, onFirst?: () => void): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    if (text === '') onFirst?.()
    text += String(chunk)
  }
  return text
}
