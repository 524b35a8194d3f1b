/**
 * Replays golden traces of GenStage 1.3.2 and compares: `npm run conformance [-- DIR]`. Without DIR, the fixtures beside this file;
 * with it, every *.json file of that folder. The last line is `N passed, N failed`; the exit code is 1 if anything failed.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './check.ts'
import { toEntries } from './scenario.ts'
import type { Entry } from './scenario.ts'

const folder = process.argv[2] ?? fileURLToPath(new URL('./fixtures', import.meta.url))
const notCompared: string[] = []
/** Errors that no promise or stage took: whatever caused them, the run must not look well. */
const strays: unknown[] = []
let passed = 0
let failed = 0

process.on('uncaughtException', error => strays.push(error))
process.on('unhandledRejection', error => strays.push(error))

for (const file of await filesIn(folder)) await checkFile(file)
if (notCompared.length > 0) {
  console.log(`${notCompared.length} not compared, their outcome depends on scheduling: ${notCompared.join(', ')}`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

async function filesIn(path: string): Promise<readonly string[]> {
  try {
    const files = (await readdir(path)).filter(name => name.endsWith('.json')).sort()
    if (files.length === 0) fail(path, ['the folder has no *.json files'])
    return files
  } catch (error) {
    fail(path, [`cannot be read: ${String(error)}`])
    return []
  }
}

async function checkFile(file: string): Promise<void> {
  try {
    const entries = toEntries(JSON.parse(await readFile(join(folder, file), 'utf8')))
    for (const entry of entries) await checkEntry(file, entry)
  } catch (error) {
    fail(file, [`is no file of golden traces: ${String(error)}`])
  }
}

async function checkEntry(file: string, entry: Entry): Promise<void> {
  const verdict = await check(entry)
  const { name } = entry.scenario
  const stray = strays.splice(0)
  if (verdict.type === 'failed') fail(`${file}  ${name}`, verdict.lines)
  else if (stray.length > 0)
    fail(
      `${file}  ${name}`,
      stray.map(error => `left an error behind: ${String(error)}`),
    )
  else if (verdict.type === 'passed') passed++
  else notCompared.push(name)
}

function fail(what: string, lines: readonly string[]): void {
  failed++
  console.log(`FAILED  ${what}`)
  for (const line of lines) console.log(`  ${line}`)
  console.log()
}
