import { parseArgs } from 'node:util'
import { UsageError } from '../shared/command-line.ts'

export const usage = `Counts the words of text files with a pipeline of stages.

usage: npm start -- [options] [path]

  path        a folder, with everything below it, or a file;
              - reads the standard input;
              without it: the documentation of the installed packages
  --top N     how many words to show (default 20)
  --json      print the result as JSON, alone
  -h, --help  print this

Binary and unreadable files are skipped, symbolic links not followed.
Ctrl-C stops reading and reports what has been read.
`

export interface Options {
  /** Undefined: the documentation of the installed packages. */
  readonly path: string | undefined
  readonly top: number
  readonly json: boolean
  readonly help: boolean
}

/** Reads the command line. Throws a `UsageError`. */
export function parseOptions(args: readonly string[]): Options {
  let path: string | undefined
  let top = 20
  let json = false
  let help = false
  // Not strict: its own messages take several lines.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: { top: { type: 'string' } },
  })
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (path !== undefined) throw new UsageError(`one path at most, but got "${path}" and "${token.value}"`)
      path = token.value
    } else if (token.kind === 'option') {
      if (token.name === 'top') top = wholeNumber(token.value)
      else if (token.name === 'json' && token.value === undefined) json = true
      else if ((token.name === 'help' || token.name === 'h') && token.value === undefined) help = true
      else throw new UsageError(`unknown option ${token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`}`)
    }
  }
  return { path, top, json, help }
}

function wholeNumber(text: string | undefined): number {
  const value = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UsageError(`--top takes a whole number, ${text === undefined ? 'but none was given' : `not "${text}"`}`)
  }
  return value
}
