import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let folder = ''

/** Words across the borders of the 64 KiB pieces that are read: of one byte, two, three and four bytes a letter. */
const long = 'word wörter 語彙語彙 𝒜𝒷𝒸 x\r\n'.repeat(20_000)
const files: Readonly<Record<string, string>> = {
  'README.md': 'The quick brown fox.\r\nThe LAZY dog;\r\nthe-end 42\r\n',
  'no-extension': 'Ünïcödé ΟΔΟΣ İstanbul straße ٣٤ 語\ufeff don’t',
  'empty.txt': '',
  'no-newline.txt': 'the',
  'deep/deeper/deepest.txt': 'the word dog',
  'deep/long.txt': long,
  'deep/one-word.txt': 'a1'.repeat(100_000),
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'word-count-'))
  await mkdir(join(folder, 'deep/deeper'), { recursive: true })
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text)
  await writeFile(join(folder, 'binary.bin'), Buffer.from('words that do not count \0'))
  await symlink(folder, join(folder, 'deep/loop'))
})

afterAll(() => rm(folder, { recursive: true }))

/** What the pipeline must find, as plainly as possible. */
function plainCount(texts: readonly string[], top = 20) {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const word of text.match(/[\p{L}\p{N}]+/gu) ?? []) {
      counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1)
    }
  }
  const words = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return { files: texts.length, words, distinct: counts.size, top: sorted.slice(0, top) }
}

/** Runs the program as `npm start` does. */
function start(...args: string[]): ChildProcessWithoutNullStreams {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', '--conditions=@genstage/source', main, ...args])
}

async function ended(child: ChildProcessWithoutNullStreams) {
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (output.stderr += text))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { ...output, code }
}

const run = (...args: string[]) => ended(start(...args))

describe('a folder', () => {
  test('gives the same as a plain count', async () => {
    const { stdout, stderr, code } = await run('--json', folder)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ ...plainCount(Object.values(files)), ms: expect.any(Number) })
  })

  test('may be one file, and --top chooses how many words', async () => {
    const { stdout } = await run('--json', '--top', '2', join(folder, 'README.md'))
    expect(JSON.parse(stdout)).toEqual({ ...plainCount([files['README.md'] ?? ''], 2), ms: expect.any(Number) })
  })

  test('is reported with what was skipped, in words for people', async () => {
    const { stdout, stderr } = await run('--top=3', folder)
    expect(stderr).toBe('')
    expect(stdout).toContain('20,001  ██████████████████████████  word')
    expect(stdout).toMatch(/files +7 \(1 skipped\)\n/)
    expect(stdout).toMatch(/reader\n.*3 subscriptions\n.*\n +splitter-0/)
  })

  test('without a path is the documentation of the installed packages', async () => {
    const { stdout, code } = await run('--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).words).toBeGreaterThan(10_000)
  })
})

describe('the standard input', () => {
  test('gives the same as a plain count', async () => {
    const child = start('--json', '-')
    child.stdin.end(await readFile(join(folder, 'deep/long.txt')))
    const { stdout, code } = await ended(child)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ ...plainCount([long]), ms: expect.any(Number) })
  })

  test('may be empty', async () => {
    const child = start('--json', '-')
    child.stdin.end()
    expect(JSON.parse((await ended(child)).stdout)).toMatchObject({ files: 1, words: 0, distinct: 0, top: [] })
  })

  test('is skipped if it is binary', async () => {
    const child = start('--json', '-')
    child.stdin.end('one two \0')
    expect(JSON.parse((await ended(child)).stdout)).toMatchObject({ files: 0, words: 0 })
  })
})

describe('Ctrl-C', () => {
  test('in the middle reports what was read and exits with 130', async () => {
    const child = start('-')
    const over = ended(child)
    // More than pipes hold: when it has been written, the program is reading.
    await new Promise(resolve => child.stdin.write(long.repeat(4), resolve))
    child.kill('SIGINT')
    const { stdout, stderr, code } = await over
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^interrupted/)
    expect(stdout).toMatch(/words +[1-9]/)
  })

  test('is told in JSON too', async () => {
    const child = start('--json', '-')
    const over = ended(child)
    await new Promise(resolve => child.stdin.write(long.repeat(4), resolve))
    child.kill('SIGINT')
    const { stdout, code } = await over
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ files: 1, interrupted: true })
  })
})

describe('the command line', () => {
  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--top', 'many'], '--top takes a whole number, not "many"'],
    [['no-such-folder'], 'there is no "no-such-folder"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `word-count: ${message} (see --help)\n` })
  })

  test('--help tells how to use it', async () => {
    const { stdout, code } = await run('--help')
    expect(code).toBe(0)
    expect(stdout).toContain('--top N')
  })

  test('is quiet when the reader of its output has gone', async () => {
    const child = start(folder)
    child.stdout.destroy()
    const { stderr, code } = await ended(child)
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  })
})
