import { describe, expect, test } from 'vitest'
import { interruptExample, runExample } from '../shared/run-example.ts'
import { ordersOf, shops } from './orders.ts'
import { plainSummary } from './summary.ts'

const run = (...args: string[]) => runExample('fan-out-fan-in', ...args)

describe('the program', () => {
  test('tells in JSON what a plain loop finds', async () => {
    const { stdout, stderr, code } = await run('--json', '--orders', '700', '--seed=9')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const orders = shops.flatMap(shop => [...ordersOf(shop, 700, 9)])
    expect(JSON.parse(stdout)).toMatchObject({ orders: 2_100, shops: plainSummary(orders) })
  })

  test('tells people what was sold, and which way the events went', async () => {
    const { stdout, stderr, code } = await run('--orders', '200')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/ {2}all +600 /)
    expect(stdout).toMatch(/\n {2}paris +→ desk-0 +\d+ {2}█+/)
    expect(stdout).toMatch(/\n {2}review +→ report +\d+ {2}█+\n/)
  })

  test('draws the stages for Mermaid', async () => {
    const { stdout } = await run('--mermaid', '--orders', '10')
    expect(stdout).toMatch(/^flowchart LR\n/)
    expect(stdout).toContain('(["paris"])')
  })

  test('may have nothing to do', async () => {
    expect(JSON.parse((await run('--orders', '0', '--json')).stdout)).toMatchObject({ orders: 0 })
  })

  test('finishes at Ctrl-C what has been sold, and exits with 130', async () => {
    const { stdout, stderr, code } = await interruptExample('SIGINT', 300, 'fan-out-fan-in', '--json', '--orders', '10000000')
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    const { orders, flows, interrupted } = JSON.parse(stdout)
    expect(interrupted).toBe(true)
    expect(orders).toBeGreaterThan(0)
    const made = flows.filter(({ from }: { from: string }) => shops.some(shop => shop === from))
    expect(made.reduce((sum: number, { events }: { events: number }) => sum + events, 0)).toBe(orders)
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--orders', 'many'], '--orders takes a whole number from 0 to 10000000, not "many"'],
    [['--orders'], '--orders takes a whole number from 0 to 10000000, but none was given'],
    [['--json=yes'], 'unknown option --json=yes'],
    [['more'], 'unknown argument "more"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `fan-out-fan-in: ${message} (see --help)\n` })
  })

  test('--help tells how to use it', async () => {
    const { stdout, code } = await run('--help')
    expect(code).toBe(0)
    expect(stdout).toContain('--orders N')
  })
})

describe('npm run example', () => {
  test.each([[''], ['no-such-example']])('%j lists the examples, and exits with 2', async name => {
    const { stderr, code } = await runExample(name)
    expect(code).toBe(2)
    expect(stderr).toMatch(/\n {2}fan-out-fan-in\n/)
  })
})
