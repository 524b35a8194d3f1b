import { describe, expect, test } from 'vitest'
import { interruptExample, runExample } from '../shared/run-example.ts'

const run = (...args: string[]) => runExample('low-volume-polling', ...args)

/** Every root has come to the file, to the API and to the screen. */
function expectComplete(result: Record<string, number>) {
  const { numbers = NaN, withoutRoot = NaN, processed, written, posted, discarded } = result
  expect({ written, posted, discarded }).toEqual({ written: processed, posted: processed, discarded: 0 })
  expect(processed).toBe(numbers - withoutRoot)
}

describe('the program', () => {
  test('SYS-A2 SYS-A6 brings all numbers from servers, table and desk to the file and the API', async () => {
    const { stdout, stderr, code } = await run('--json', '--seconds', '3', '--every', '50', '--rows', '4')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout)
    expectComplete(result)
    expect(result.polls.table.numbers).toBe(4)
    expect(result.byHand).toBe(5)
    expect(result.polls.east.numbers).toBeGreaterThan(4)
    expect(result.polls.west.numbers).toBeGreaterThan(4)
    expect(result.flows).toContainEqual({ from: 'east', to: 'numbers', events: result.polls.east.numbers })
    expect(result.polls.east.empty).toBeGreaterThan(5)
  })

  test('SYS-A2 is not busy while nothing comes: no timer besides the polls, and hardly any processor time', async () => {
    const result = JSON.parse((await run('--json', '--seconds', '6', '--rows', '0', '--failures', '0')).stdout)
    const { ms, polls, timers, processorMs } = result.idle
    expect(ms).toBeGreaterThanOrEqual(999)
    // Three sources, four times a second.
    expect(polls).toBeGreaterThanOrEqual(3)
    expect(polls).toBeLessThanOrEqual(15)
    expect(Math.abs(timers - polls)).toBeLessThanOrEqual(3)
    expect(processorMs / ms).toBeLessThan(0.25)
  })

  test('takes the smallest of everything', async () => {
    const none = ['--rows=0', '--by-hand=0', '--failures=0', '--seed=0']
    const { stdout, stderr, code } = await run('--json', '--seconds=1', '--every=10', ...none)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expectComplete(JSON.parse(stdout))
    expect(JSON.parse(stdout)).toMatchObject({ byHand: 0, polls: { table: { numbers: 0 } }, restarts: {} })
  })

  test('SYS-A9 loses nothing when the servers often fail', async () => {
    const result = JSON.parse((await run('--json', '--seconds', '4', '--every', '40', '--failures', '0.2', '--seed', '5')).stdout)
    expectComplete(result)
    const { east = 0, west = 0 } = result.restarts
    expect(east + west).toBeGreaterThan(0)
    expect(east + west).toBeLessThanOrEqual(result.polls.east.failed + result.polls.west.failed)
  })

  test('SYS-A10 tells people of each root when it comes, and of the flows at the end', async () => {
    const { stdout, stderr } = await run('--seconds', '2', '--every', '100')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ +\d\.\d\d s {2}(east|west|table)-\d+ +√\d+ = [\d.]+( \(remembered\))?\n/)
    expect(stdout).toMatch(/\n {2}table +\d+ +\d+ +0 +\d+\n/)
    expect(stdout).toMatch(/\n {2}numbers +→ worker-0 +\d+ {2}█/)
    expect(stdout).toContain('\n  held up by nobody: all wait for numbers\n')
  })

  test('finishes at Ctrl-C what has been fetched, and exits with 130', async () => {
    const { stdout, stderr, code } = await interruptExample(
      'SIGINT',
      900,
      'low-volume-polling',
      '--json',
      '--failures=0',
      '--seconds=600',
    )
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ interrupted: true, byHand: 0 })
    expect(result.ms).toBeLessThan(30_000)
    expectComplete(result)
    expect(result.processed).toBeGreaterThan(0)
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--every', '0'], '--every takes a whole number from 10 to 60000, not "0"'],
    [['--seconds', 'x'], '--seconds takes a number from 1 to 3600, not "x"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `low-volume-polling: ${message} (see --help)\n` })
  })

  test('--help tells how to use it', async () => {
    expect((await run('--help')).stdout).toContain('--failures P')
  })
})
