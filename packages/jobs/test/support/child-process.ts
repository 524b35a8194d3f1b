import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a process did. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: readonly string[]
  readonly err: string
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** Begins of every program: what it needs, and a way to say something, the last thing being how it exits. */
const prelude = `
  import { kind, memoryStore, openClient, sqliteStore, startRunner, JobsError } from '@genstage/jobs'
  import { writeSync } from 'node:fs'
  const say = text => writeSync(1, text + '\\n')
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  process.on('exit', code => say('exit ' + code))
`

/**
 * Runs a program in a process of its own, and sends it the next signal each time it says `ready`. It is killed after 30 seconds.
 * `options` are options of Node, on its command line or in `NODE_OPTIONS`.
 */
export function runProgram(
  source: string,
  signals: readonly NodeJS.Signals[] = [],
  options: { readonly flags?: readonly string[]; readonly nodeOptions?: string } = {},
): Promise<ProcessEnd> {
  const flags = [...(options.flags ?? []), '--import', 'tsx', '--conditions=@genstage/source', '--input-type=module', '--eval']
  // Inside the package, so that it finds itself by its name
  const cwd = `${root}/packages/jobs`
  const child = spawn(process.execPath, [...flags, prelude + source], {
    cwd,
    timeout: 30_000,
    env: { ...process.env, ...(options.nodeOptions === undefined ? {} : { NODE_OPTIONS: options.nodeOptions }) },
  })
  let out = ''
  let err = ''
  let sent = 0
  child.stderr.on('data', data => (err += String(data)))
  child.stdout.on('data', data => {
    out += String(data)
    while (out.split('\n').filter(line => line === 'ready').length > sent) child.kill(signals[sent++])
  })
  return new Promise(resolve => {
    child.on('close', (code, signal) => resolve({ code, signal, out: out.split('\n').filter(line => line !== ''), err }))
  })
}
