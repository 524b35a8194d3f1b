/** What the examples do alike on the command line: options, exit codes, Ctrl-C. */
import { parseArgs } from 'node:util'

/** The command line was wrong; the message is one line that says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** An option that takes a number, such as `--orders 3000`. */
export interface NumberOption {
  readonly default: number
  readonly from: number
  readonly to: number
  /** Default: whole numbers only. */
  readonly fraction?: boolean
}

/** Reads options that take a number and such that take nothing. Throws a `UsageError`. */
export function parseOptions<Numbers extends string, Flags extends string>(
  args: readonly string[],
  numbers: Readonly<Record<Numbers, NumberOption>>,
  flags: readonly Flags[],
): Record<Numbers, number> & Record<Flags, boolean> {
  const known = new Map<string, NumberOption>(Object.entries(numbers))
  const values = new Map<string, number | boolean>(flags.map(name => [name, false]))
  for (const [name, option] of known) values.set(name, option.default)
  // Not strict: its own messages take several lines.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries([...known.keys()].map(name => [name, { type: 'string' as const }])),
  })
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(`unknown argument "${token.value}"`)
    if (token.kind !== 'option') continue
    const name = token.name === 'h' ? 'help' : token.name
    const option = known.get(name)
    if (option) values.set(name, numberOf(name, option, token.value))
    else if (values.has(name) && token.value === undefined) values.set(name, true)
    else throw new UsageError(`unknown option ${token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`}`)
  }
  return Object.fromEntries(values) as Record<Numbers, number> & Record<Flags, boolean>
}

function numberOf(name: string, { from, to, fraction = false }: NumberOption, text: string | undefined): number {
  const value = Number(text)
  const written = (fraction ? /^\d+(\.\d+)?$/ : /^\d+$/).test(text ?? '')
  if (written && value >= from && value <= to) return value
  const given = text === undefined ? 'but none was given' : `not "${text}"`
  throw new UsageError(`--${name} takes a ${fraction ? '' : 'whole '}number from ${from} to ${to}, ${given}`)
}

/** Runs a program to its end: what it throws becomes one line and an exit code, 2 for a wrong command line. */
export async function runProgram(name: string, run: () => Promise<void>): Promise<void> {
  leaveQuietlyWhenNobodyReads()
  try {
    await run()
  } catch (error) {
    const usageError = error instanceof UsageError
    console.error(usageError ? `${name}: ${error.message} (see --help)` : error)
    process.exitCode = usageError ? 2 : 1
  }
}

/** Aborted by Ctrl-C. The next one kills the process, as if nobody listened. */
export function stoppedByCtrlC(): AbortController {
  const controller = new AbortController()
  const interrupt = () => {
    controller.abort()
    // Not at once: npm passes on the signal that the terminal has already sent, and one key would count as two.
    setTimeout(() => process.off('SIGINT', interrupt), 200).unref()
  }
  process.on('SIGINT', interrupt)
  return controller
}

/** `| head` closes the pipe when it has seen enough. */
function leaveQuietlyWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
