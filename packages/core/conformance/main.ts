/**
 * Replays golden traces of GenStage 1.3.2 and compares: `npm run conformance [-- DIR]`. Without DIR, the fixtures beside this file,
 * recorded and derived; with it, every *.json file of that folder. There is a line for each file; the last line is
 * `N passed, N failed`, the exit code 1 if anything failed.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './check.ts'
import { entriesIn, titleOf, toEntry } from './format.ts'
import type { Entry } from './scenario.ts'

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))
const root = process.argv[2] ?? fixtures
const folders = root === fixtures ? [fixtures, join(fixtures, 'derived')] : [root]
const notCompared: string[] = []
/** Errors that no promise or stage took: whatever caused them, the run must not look well. */
const strays: unknown[] = []
let passed = 0
let failed = 0

process.on('uncaughtException', error => strays.push(error))
process.on('unhandledRejection', error => strays.push(error))

for (const folder of folders) for (const file of await filesIn(folder)) await checkFile(relative(root, join(folder, file)))
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
  const before = { passed, failed, notCompared: notCompared.length }
  try {
    const items = entriesIn(JSON.parse(await readFile(join(root, file), 'utf8')))
    for (const [index, item] of items.entries()) await checkItem(file, item, index)
  } catch (error) {
    fail(file, [`is no file of golden traces: ${String(error)}`])
  }
  const skipped = notCompared.length - before.notCompared
  const rest = skipped > 0 ? `, ${skipped} not compared` : ''
  console.log(`${file}: ${passed - before.passed} passed, ${failed - before.failed} failed${rest}`)
}

async function checkItem(file: string, item: unknown, index: number): Promise<void> {
  const title = `${file}  ${titleOf(item, index)}`
  try {
    await checkEntry(title, toEntry(item))
  } catch (error) {
    fail(title, [`is no golden trace: ${String(error)}`])
  }
}

async function checkEntry(title: string, entry: Entry): Promise<void> {
  const verdict = await check(entry)
  const stray = strays.splice(0)
  if (verdict.type === 'failed') fail(title, verdict.lines)
  else if (stray.length > 0)
    fail(
      title,
      stray.map(error => `left an error behind: ${String(error)}`),
    )
  else if (verdict.type === 'passed') passed++
  else notCompared.push(entry.scenario.name)
}

function fail(what: string, lines: readonly string[]): void {
  failed++
  console.log(`FAILED  ${what}`)
  for (const line of lines) console.log(`  ${line}`)
  console.log()
}
