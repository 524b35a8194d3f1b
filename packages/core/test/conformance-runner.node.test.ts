import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../conformance/main.ts', import.meta.url))
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Runs the command on a folder with these files: its exit code and what it prints. */
function conformance(files: Readonly<Record<string, string>>): {
  readonly code: number | null
  readonly lines: readonly string[]
} {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--conditions=@genstage/source', main, folder], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
  })
  return { code: status, lines: stdout.trimEnd().split('\n') }
}

/** A scenario of one stage, which starts. */
const scenario = { name: 'one-stage', stages: [{ id: 'c1', type: 'consumer' }], steps: [{ op: 'estimate', stage: 'ghost' }] }
const trace = { start: { results: { c1: 'ok' }, obs: {} }, steps: [{ result: 'noproc', obs: {} }] }
const unexpected = { ...trace, steps: [{ result: 0, obs: {} }] }
const text = (...entries: readonly unknown[]) => JSON.stringify(entries)

describe('the conformance command', () => {
  it('exits with 0 when all that is compared agrees', () => {
    const racing = { scenario, trace: unexpected, deviation: { rules: ['X4'], trace: null, why: 'it races' } }
    const { code, lines } = conformance({ 'good.json': text({ scenario, trace }, racing), 'notes.txt': 'no scenario' })
    expect(lines).toEqual([
      'good.json: 1 passed, 0 failed, 1 not compared',
      '1 not compared, their outcome depends on scheduling: one-stage',
      '1 passed, 0 failed',
    ])
    expect(code).toBe(0)
  })

  it('exits with 1 at a difference, and says where', () => {
    const { code, lines } = conformance({ 'wrong.json': text({ scenario, trace: unexpected }, { scenario, trace }) })
    expect(lines).toEqual([
      'FAILED  wrong.json  one-stage',
      '  step 0 {"op":"estimate","stage":"ghost"}',
      '    result: expected 0, actual "noproc"',
      '',
      'wrong.json: 1 passed, 1 failed',
      '1 passed, 1 failed',
    ])
    expect(code).toBe(1)
  })

  it('exits with 1 at a file that it cannot read, and goes on with the others', () => {
    const { code, lines } = conformance({ 'a.json': '[{', 'b.json': text({ scenario, trace }), 'c.json': '{}' })
    expect(lines[0]).toBe('FAILED  a.json')
    expect(lines[1]).toMatch(/^ {2}is no file of golden traces: SyntaxError/)
    expect(lines.join('\n')).toContain('is no file of golden traces: ScenarioError: must be a list of { scenario, trace }')
    expect(lines.at(-1)).toBe('1 passed, 2 failed')
    expect(code).toBe(1)
  })

  it('exits with 1 at an entry that is not in the format, says where, and judges the others of its file', () => {
    const misspelt = { scenario: { ...scenario, steps: [{ op: 'estimate', stgae: 'ghost' }] }, trace }
    const { code, lines } = conformance({ 'mixed.json': text({ scenario, trace }, null, misspelt, { scenario, trace }) })
    expect(lines).toEqual([
      'FAILED  mixed.json  entry 1',
      '  is no golden trace: ScenarioError: entry must be an entry: an object with scenario, trace, deviation, not null',
      '',
      'FAILED  mixed.json  one-stage',
      '  is no golden trace: ScenarioError: entry.scenario.steps[0].stage must be a string; it is missing',
      '',
      'mixed.json: 2 passed, 2 failed',
      '2 passed, 2 failed',
    ])
    expect(code).toBe(1)
  })

  it('exits with 1 for an empty folder', () => {
    const { code, lines } = conformance({})
    expect(lines[1]).toBe('  the folder has no *.json files')
    expect(lines.at(-1)).toBe('0 passed, 1 failed')
    expect(code).toBe(1)
  })
})
