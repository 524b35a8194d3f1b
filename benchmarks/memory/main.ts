import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../harness/built-package.ts'

const program = fileURLToPath(new URL('./slow-consumer.ts', import.meta.url))

/** The old generation of V8 in the process that is tested. Ten million events would need several times as much. */
const heapLimitMb = 64

/** Runs the slow consumer in a small heap. Answers the exit code: without back-pressure it dies of the heap limit. */
export async function benchMemory(say: (text: string) => void): Promise<number> {
  ensureBuilt('core', line => say(`${line}\n`))
  const flags = [`--max-old-space-size=${heapLimitMb}`, '--expose-gc', '--import', import.meta.resolve('tsx')]
  const child = spawn(process.execPath, [...flags, program], { stdio: 'inherit' })
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  })
  if (code !== 0) say(`the slow consumer did not finish in a heap of ${heapLimitMb} MB: it ended with ${signal ?? code}\n`)
  return code === 0 ? 0 : 1
}
