import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../simulate/main.ts', import.meta.url))

/** Runs the command line as a user does. */
async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@genstage/source', main, ...args])
  let [out, err] = ['', '']
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, out, err }
}

describe('npm run simulate', { timeout: 60_000 }, () => {
  it('runs both kinds, and ends well', async () => {
    const { code, out } = await run('--runs', '600', '--seed', '5')
    expect(out).toMatch(/^600 runs, seed 5\n/)
    expect(out).toMatch(/600 of 600 runs, \d+ a second\nNo invariant was violated\.\n$/)
    expect(code).toBe(0)
  })

  it.each(['lost-event', 'repeated-event', 'swapped-events'])(
    'finds %s, and prints the command that shows it again',
    async bug => {
      const first = await run('--seed', '1', '--plant', bug)
      expect(first.code).toBe(1)
      const [, again = ''] = /again: npm run simulate -- (.*)\n/.exec(first.out) ?? []
      const second = await run(...again.split(' '))
      expect(second.code).toBe(1)
      const plan = (text: string): string => text.slice(text.indexOf('plan, run'), text.indexOf('again:'))
      expect(plan(second.out)).toBe(plan(first.out))
      expect(first.out).toMatch(/INV-\d|GS-Q2/)
    },
  )

  it('explains itself', async () => {
    const { code, out } = await run('--help')
    expect(code).toBe(0)
    expect(out).toContain('usage: npm run simulate')
  })

  it.each([
    [['--runs', '0'], '--runs takes a whole number from 1'],
    [['--runs', 'many'], 'not "many"'],
    [['--seed'], '--seed takes a value'],
    [['--seed', '-1'], '--seed takes'],
    [['--sead', '1'], 'unknown option --sead'],
    [['runs'], 'unknown argument "runs"'],
    [['--kind', 'forest'], '--kind takes topology, tree or both'],
    [['--path', '1:2', '--seed', '1'], '--path needs --seed and --kind'],
    [['--path', 'x', '--seed', '1', '--kind', 'tree'], '--path takes numbers with colons'],
    [['--plant', 'roses'], '--plant takes one of'],
    [['--seed', '1', '--seed', '2'], '--seed was given twice'],
  ])('BAD-140 to 142 refuses %j', async (args, message) => {
    const { code, out, err } = await run(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err.trim().split('\n')).toHaveLength(1)
  })
})
