import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { figuresPipe, type Cell, type CellRequest } from './cell-request.ts'

export interface ProcessOptions {
  /** Conditions for the resolution of packages. Default none: cells measure the built packages, as users get them. */
  readonly conditions?: readonly string[]
  /** Ends a cell that hangs. Default 120,000. */
  readonly timeoutMs?: number
}

/** A cell that ended without figures: a wrong checksum, a throw, a hang. */
export class CellFailed extends Error {
  readonly cell: Cell

  constructor(cell: Cell, detail: string) {
    super(`${cell.workload} of ${cell.peer} failed: ${detail}`)
    this.name = 'CellFailed'
    this.cell = cell
  }
}

const cellProgram = fileURLToPath(new URL('./cell.ts', import.meta.url))

/** Runs one cell in a process of its own and resolves with its figures. */
export async function runCell<Figures>(
  request: CellRequest,
  { conditions = [], timeoutMs = 120_000 }: ProcessOptions = {},
): Promise<Figures> {
  const flags = ['--expose-gc', '--import', import.meta.resolve('tsx'), ...conditions.map(name => `--conditions=${name}`)]
  const child = spawn(process.execPath, [...flags, cellProgram, JSON.stringify(request)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const complaints = textOf(child.stderr)
  const figures = textOf(child.stdio[figuresPipe])
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  })
  if (code !== 0) throw new CellFailed(request, (await complaints).trim() || `ended with ${signal ?? code}`)
  return JSON.parse(await figures) as Figures
}

async function textOf(output: unknown): Promise<string> {
  let text = ''
  for await (const part of (output as Readable).setEncoding('utf8')) text += String(part)
  return text
}
