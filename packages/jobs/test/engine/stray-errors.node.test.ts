import { describe, expect, it } from 'vitest'
import { runProgram } from '../support/child-process.ts'

/** A runner with one kind, and what happens to a job of it and to another that runs beside it. */
const program = (handler: string, options: string = '', after: string = '') => `
  const store = memoryStore()
  const Bad = kind('bad', { maxAttempts: 1, handler: ${handler} })
  const Good = kind('good', () => new Promise(resolve => setTimeout(resolve, 200, 'good')))
  const runner = startRunner({ store, kinds: [Bad, Good], queues: { default: 5 }, logger: quiet, graceMs: 2000, abandonMs: 200 ${options} })
  runner.done.then(() => say('done'), error => say('done: ' + error.code + ' ' + String(error.cause?.message ?? error.cause)))
  runner.events.on('failed', ({ kind, failure }) => say('failed ' + kind + ' ' + failure.code + ' ' + failure.message))
  runner.events.on('completed', ({ kind, result }) => say('completed ' + kind + ' ' + result))
  await runner.enqueueMany(Good, [undefined])
  const job = await runner.enqueue(Bad)
  ${after}
  setTimeout(() => {}, 5000)
`

describe('F13 errors outside of the promise of a handler', () => {
  it.each([
    ['thrown in a timer', '() => new Promise(() => { setTimeout(() => { throw new Error("stray") }, 20) })'],
    ['a rejection that nobody awaits', '() => new Promise(() => { void Promise.reject(new Error("stray")) })'],
    [
      'a rejection of its own after an await',
      'async () => { await null; void (async () => { await null; throw new Error("stray") })(); await new Promise(() => {}) }',
    ],
    [
      'thrown by what listens to its signal',
      '(_, { signal }) => new Promise(() => { signal.addEventListener("abort", () => { throw new Error("stray") }) })',
      'setTimeout(() => void job.cancel("x"), 50)',
    ],
  ])(
    '%s: the job has failed with STRAY_ERROR, others finish, the process ends with 1',
    async (_, handler, after = '') => {
      const { code, out } = await runProgram(program(handler, '', after))
      expect(out).toEqual(['failed bad STRAY_ERROR stray', 'completed good good', 'done: STRAY_ERROR stray', 'exit 1'])
      expect(code).toBe(1)
    },
    40_000,
  )

  it('left behind by a handler that has returned: its job stays completed, and the process ends with 1', async () => {
    const { code, out } = await runProgram(program('() => { setTimeout(() => { throw new Error("stray") }, 20); return "fine" }'))
    expect(out).toEqual(['completed bad fine', 'completed good good', 'done: STRAY_ERROR stray', 'exit 1'])
    expect(code).toBe(1)
  }, 40_000)

  it('of several runners in a process all stop in order before it ends', async () => {
    const { code, out } = await runProgram(`
      const Slow = kind('slow', () => new Promise(resolve => setTimeout(resolve, 400, 'slow')))
      const other = startRunner({ store: memoryStore(), kinds: [Slow], queues: { default: 1 }, logger: quiet, graceMs: 2000 })
      other.events.on('completed', ({ result }) => say('completed ' + result))
      other.done.catch(error => say('other: ' + error.code))
      await other.enqueue(Slow)
      ${program('() => { setTimeout(() => { throw new Error("stray") }, 20); return "fine" }')}
    `)
    const first = ['completed bad fine', 'completed good good', 'done: STRAY_ERROR stray']
    expect(out).toEqual([...first, 'completed slow', 'other: STRAY_ERROR', 'exit 1'])
    expect(code).toBe(1)
  }, 40_000)

  it('an error that is no job’s ends the process as it would without a runner', async () => {
    const { code, out, err } = await runProgram(`${program('() => "fine"')}\nsetTimeout(() => { throw new Error("mine") }, 20)`)
    expect(out).toEqual(['completed bad fine', 'exit 1'])
    expect(err).toContain('Error: mine')
    expect(code).toBe(1)
  }, 40_000)

  it('with strayErrors: "ignore" the process is left to itself', async () => {
    const handler = '() => new Promise(() => { setTimeout(() => { throw new Error("stray") }, 20) })'
    const alone = await runProgram(program(handler, ', strayErrors: "ignore"'))
    expect([alone.code, alone.out]).toEqual([1, ['exit 1']])
    const watched = await runProgram(
      `process.on('uncaughtException', error => say('caught ' + error.message))\n${program(handler, ', strayErrors: "ignore"')}\nsetTimeout(() => process.exit(0), 400)`,
    )
    expect(watched.out).toEqual(['caught stray', 'completed good good', 'exit 0'])
  }, 40_000)
})
