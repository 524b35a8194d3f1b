import { describe, expect, test } from 'vitest'
import { interruptExample, runExample } from '../shared/run-example.ts'
import { celsiusAt, startService } from './server.ts'

const run = (...args: string[]) => runExample('rate-limited', ...args)

describe('the service', () => {
  test('answers, and refuses what is too fast', async () => {
    const service = await startService({ limit: 2, perMs: 60_000, slowestMs: 1 })
    const statuses: number[] = []
    for (const place of [1, 2, 3]) {
      const response = await fetch(`${service.url}/weather/${place}`)
      statuses.push(response.status)
      if (response.ok) expect(await response.json()).toEqual({ place, celsius: celsiusAt(place) })
    }
    expect(statuses).toEqual([200, 200, 429])
    expect(service.requests.violations).toBe(1)
    await service[Symbol.asyncDispose]()
  })
})

describe('the program', () => {
  test('gets all answers, and is never too fast', async () => {
    const { stdout, stderr, code } = await run('--json', '--requests', '60', '--limit', '40', '--per', '3000')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ requests: 60, answers: 60, refused: 0, violations: 0 })
    expect(JSON.parse(stdout).most).toBeLessThanOrEqual(40)
    expect(JSON.parse(stdout).mostAtOnce).toBeLessThanOrEqual(20)
  })

  test('without the limit is refused', async () => {
    const { stdout, code } = await run('--json', '--no-limit', '--requests', '200', '--limit', '50', '--per', '2000')
    expect(code).toBe(0)
    const { answers, refused, violations } = JSON.parse(stdout)
    expect(violations).toBeGreaterThan(0)
    expect({ refused, answers }).toEqual({ refused: violations, answers: 200 - violations })
  })

  test('tells people how many requests came when', async () => {
    const { stdout, stderr } = await run('--requests', '30', '--limit', '20', '--per', '2000')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/ {2}answers +30 \(/)
    expect(stdout).toMatch(/ {2}too fast +0\n/)
    expect(stdout).toMatch(/\n +0 ms +20 {2}█+\|\n/)
  })

  test('finishes at Ctrl-C what is under way, and exits with 130', async () => {
    const { stdout, stderr, code } = await interruptExample(
      'SIGINT',
      600,
      'rate-limited',
      '--json',
      '--requests',
      '100000',
      '--per=3000',
    )
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    const { requests, answers, refused, interrupted } = JSON.parse(stdout)
    expect(interrupted).toBe(true)
    expect(answers + refused).toBe(requests)
    expect(answers).toBeLessThan(100_000)
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['--limit', '0'], '--limit takes a whole number from 1 to 10000, not "0"'],
  ])('%j exits with 2 and one line', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `rate-limited: ${message} (see --help)\n` })
  })

  test('--help tells how to use it', async () => {
    expect((await run('--help')).stdout).toContain('--no-limit')
  })
})
