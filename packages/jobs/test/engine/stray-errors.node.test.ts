import { describe, expect, it } from 'vitest'
import { type ProcessEnd, runProgram } from '../support/child-process.ts'

/** A runner with one kind, and what happens to a job of it and to another that runs beside it. */
const program = (handler: string, options: string = '', after: string = '') => `
  const store = memoryStore()
  const Bad = kind('bad', { maxAttempts: 1, handler: ${handler} })
  const Good = kind('good', () => new Promise(resolve => setTimeout(resolve, 200, 'good')))
  const runner = startRunner({ store, kinds: [Bad, Good], queues: { default: 5 }, logger: quiet, graceMs: 2000, abandonMs: 200 ${options} })
  runner.done.then(() => say('done'), error => say('done: ' + error.code + ' ' + error.kind + ' ' + String(error.cause?.message ?? error.cause)))
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
      expect(out).toEqual(['failed bad STRAY_ERROR stray', 'completed good good', 'done: STRAY_ERROR bad stray', 'exit 1'])
      expect(code).toBe(1)
    },
    40_000,
  )

  it('left behind by a handler that has returned: its job stays completed, and the process ends with 1', async () => {
    const { code, out } = await runProgram(program('() => { setTimeout(() => { throw new Error("stray") }, 20); return "fine" }'))
    expect(out).toEqual(['completed bad fine', 'completed good good', 'done: STRAY_ERROR bad stray', 'exit 1'])
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
    const first = ['completed bad fine', 'completed good good', 'done: STRAY_ERROR bad stray']
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

describe('what is no job’s goes on as without a runner', () => {
  /** What a process says and how it ends, without a runner and with one that catches stray errors. */
  async function withAndWithout(listeners: string, error: string, flags: readonly string[] = [], nodeOptions?: string) {
    const alive = `setTimeout(() => { say('alive'); process.exit() }, 300)`
    const options = { flags, ...(nodeOptions === undefined ? {} : { nodeOptions }) }
    const [alone, beside] = await Promise.all(
      ['', program('() => "fine"').replace('setTimeout(() => {}, 5000)', 'await job.result()')].map(before =>
        runProgram(`${before}\n${listeners}\nsetTimeout(() => { ${error} }, 20)\n${alive}`, [], options),
      ),
    )
    const shown = (end: ProcessEnd | undefined): object => ({
      code: end?.code,
      out: end?.out.filter(line => !line.startsWith('completed')),
      // The number of the process, of a rejection in it, and of the line of the program differ
      err: end?.err.replaceAll(/\(node:\d+\)|\(rejection id: \d+\)|\[eval1\]:\d+/g, ''),
    })
    return { alone: shown(alone), beside: shown(beside) }
  }
  const caught = `process.on('uncaughtException', (error, origin) => say('caught ' + error.message + ' ' + origin))`
  const rejected = `process.on('unhandledRejection', error => say('rejected ' + error.message))`
  const throwing = 'throw new Error("mine")'
  const rejecting = 'void Promise.reject(new Error("mine"))'

  it.each([
    ['an exception, which listeners of rejections do not keep from ending the process', rejected, throwing, 1, ['exit 1']],
    ['an exception with a listener', caught, throwing, 0, ['caught mine uncaughtException', 'alive', 'exit 0']],
    ['a rejection', '', rejecting, 1, ['exit 1']],
    ['a rejection of something that is no error', '', 'void Promise.reject(5)', 1, ['exit 1']],
    ['a rejection with a listener', `${rejected}\n${caught}`, rejecting, 0, ['rejected mine', 'alive', 'exit 0']],
    [
      'a rejection, which listeners of exceptions get',
      caught,
      rejecting,
      0,
      ['caught mine unhandledRejection', 'alive', 'exit 0'],
    ],
    [
      'rejections one after another, and two at once',
      caught,
      `${rejecting}; setTimeout(() => { ${rejecting}; ${rejecting} }, 20); setTimeout(() => { ${rejecting} }, 40)`,
      0,
      [...Array.from({ length: 4 }, () => 'caught mine unhandledRejection'), 'alive', 'exit 0'],
    ],
  ])(
    'F13 %s',
    async (_, listeners, error, code, out) => {
      const { alone, beside } = await withAndWithout(listeners, error)
      expect(alone).toMatchObject({ code, out })
      expect(beside).toEqual(alone)
    },
    40_000,
  )

  it.each([
    ['none', ['--unhandled-rejections=none'], undefined, '', 0],
    ['warn', ['--unhandled-rejections', 'warn'], undefined, '', 0],
    ['warn-with-error-code', ['--unhandled_rejections=warn-with-error-code'], undefined, '', 1],
    ['strict', ['--unhandled-rejections=strict'], undefined, '', 1],
    ['strict with a listener of exceptions', ['--unhandled-rejections=strict'], undefined, caught, 0],
    ['throw after warn', ['--unhandled-rejections=warn', '--unhandled-rejections=throw'], undefined, '', 1],
    ['warn in NODE_OPTIONS', [], '"--unhandled-rejections=warn"', '', 0],
    ['throw, although NODE_OPTIONS say none', ['--unhandled-rejections=throw'], '--unhandled-rejections=none', '', 1],
  ])(
    'F13 a rejection where Node is told to do with it: %s',
    async (_, flags, nodeOptions, listeners, code) => {
      const { alone, beside } = await withAndWithout(listeners, rejecting, flags, nodeOptions)
      expect(alone).toMatchObject({ code })
      expect(beside).toEqual(alone)
    },
    40_000,
  )

  it.each(['none', 'warn', 'warn-with-error-code', 'strict', 'throw'])(
    'F13 but one of a handler ends its job and the process, with %s and whoever else listens',
    async mode => {
      const handler = '() => new Promise(() => { void Promise.reject(new Error("stray")) })'
      const source = `process.on('unhandledRejection', () => {})\nprocess.on('uncaughtException', () => {})\n${program(handler)}`
      const { code, out } = await runProgram(source, [], { flags: [`--unhandled-rejections=${mode}`] })
      expect(out).toEqual(['failed bad STRAY_ERROR stray', 'completed good good', 'done: STRAY_ERROR bad stray', 'exit 1'])
      expect(code).toBe(1)
    },
    40_000,
  )

  it('F13 nor do several copies of this package in a process change anything', async () => {
    const copies = ['', '?copy', '?another'].map(
      query => `;(await import('./src/engine/stray-errors.ts${query}')).catchStrayErrors(async () => say('told'))`,
    )
    const rest = `${rejecting}\nsetTimeout(() => {}, 100)`
    for (const [listeners, told] of [
      ['', []],
      [caught, ['caught mine unhandledRejection']],
    ] as const) {
      const { code, out } = await runProgram([...copies, listeners, rest].join('\n'))
      expect([code, out]).toEqual([1 - told.length, [...told, `exit ${1 - told.length}`]])
    }
  }, 40_000)
})
