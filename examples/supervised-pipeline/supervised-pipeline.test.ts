import { describe, expect, test } from 'vitest'
import { interruptExample, runExample } from '../shared/run-example.ts'

const run = (...args: string[]) => runExample('supervised-pipeline', ...args)

describe('the program', () => {
  test('has booked everything in the end', async () => {
    const { stdout, stderr, code } = await run('--json', '--payments', '4000', '--seed', '3')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ payments: 4_000, booked: 4_000, missing: 0, wrong: 0 })
    expect(result.crashes).toBeGreaterThan(10)
  })

  test('tells people what crashed, and what was brought again', async () => {
    const { stdout, stderr } = await run('--payments', '3000', '--crashes', '0.1')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ {2}3,000 payments booked: 0 missing, 0 wrong\n/)
    expect(stdout).toMatch(/\n {2}booker-0 +\d+ {2}█/)
    expect(stdout).toMatch(/\n +[1-9][\d,]* {2}given back and delivered again\n/)
  })

  test('may run without accidents, and may have nothing to do', async () => {
    expect(JSON.parse((await run('--json', '--crashes', '0')).stdout)).toMatchObject({ crashes: 0, missing: 0, restarts: {} })
    expect(JSON.parse((await run('--json', '--payments', '0')).stdout)).toMatchObject({ booked: 0, missing: 0 })
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('stops in order at %s', async signal => {
    const { stdout, stderr } = await interruptExample(signal, 500, 'supervised-pipeline', '--json', '--payments', '10000000')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, wrong: 0 })
    expect(JSON.parse(stdout).booked).toBeGreaterThan(0)
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--crashes', '0.9'], '--crashes takes a number from 0 to 0.5, not "0.9"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `supervised-pipeline: ${message} (see --help)\n` })
  })

  test('--help tells how to use it', async () => {
    expect((await run('--help')).stdout).toContain('--crashes P')
  })
})
