/** For tests: runs an example as `npm run example` does. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Tells on the standard error when the program begins to listen for signals: from then on one is not deadly. */
const announce = `
  process.on('newListener', name => {
    if (name === 'SIGINT') setImmediate(() => console.error('listening'))
  })`

/** Starts an example. */
function startExample(name: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const preload = `data:text/javascript,${encodeURIComponent(announce)}`
  return spawn(process.execPath, ['--import', 'tsx', '--import', preload, '--conditions=@genstage/source', main, name, ...args])
}

/** Resolves when the program has ended, with all that it wrote. */
async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (output.stderr += text))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { stdout: output.stdout, stderr: output.stderr.replace(/^listening\n/gm, ''), code }
}

/** Starts an example and waits for its end. */
export function runExample(name: string, ...args: string[]): Promise<Ended> {
  return ended(startExample(name, ...args))
}

/** Starts an example, and sends it the signal `afterMs` after it has begun to listen. */
export function interruptExample(signal: NodeJS.Signals, afterMs: number, name: string, ...args: string[]): Promise<Ended> {
  const child = startExample(name, ...args)
  child.stderr.on('data', text => {
    if (String(text).includes('listening')) setTimeout(() => child.kill(signal), afterMs)
  })
  return ended(child)
}
