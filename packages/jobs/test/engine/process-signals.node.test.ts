import { describe, expect, it } from 'vitest'
import { runProgram } from '../support/child-process.ts'

const program = (handler: string, options: string = '') => `
  const store = memoryStore()
  const Work = kind('work', ${handler})
  const runner = startRunner({ store, kinds: [Work], queues: { default: 2 }, logger: quiet ${options} })
  runner.done.then(() => say('done'), error => say('done: ' + error.code))
  for (const name of ['completed', 'released', 'stuck']) runner.events.on(name, () => say(name))
  await runner.enqueue(Work)
`

describe('F37 signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'JOB-9 %s: running handlers finish, and the process exits with 0',
    async signal => {
      const { code, out } = await runProgram(
        program(`() => new Promise(resolve => { say('ready'); setTimeout(resolve, 300) })`),
        [signal],
      )
      expect(out).toEqual(['ready', 'completed', 'done', 'exit 0'])
      expect(code).toBe(0)
    },
    40_000,
  )

  it('a second signal ends the grace: handlers are aborted, jobs are given back', async () => {
    const handler = `(_, { signal, stopping }) => new Promise((resolve, reject) => {
      say('ready')
      stopping.addEventListener('abort', () => setTimeout(() => say('ready'), 400))
      signal.addEventListener('abort', () => reject(signal.reason))
      setTimeout(resolve, 20000).unref()
    })`
    const { code, out } = await runProgram(program(handler, ', graceMs: 15000'), ['SIGTERM', 'SIGTERM'])
    expect(out).toEqual(['ready', 'ready', 'released', 'done', 'exit 0'])
    expect(code).toBe(0)
  }, 40_000)

  it('one that comes twice at once, as npm passes it on, is one', async () => {
    const handler = `(_, { signal }) => new Promise((resolve, reject) => {
      say('ready')
      say('ready')
      signal.addEventListener('abort', () => reject(signal.reason))
      setTimeout(resolve, 500)
    })`
    const { code, out } = await runProgram(program(handler), ['SIGINT', 'SIGINT'])
    expect(out).toEqual(['ready', 'ready', 'completed', 'done', 'exit 0'])
    expect(code).toBe(0)
  }, 40_000)

  it('F11 with a handler that ignores everything, the process exits all the same', async () => {
    const { code, out } = await runProgram(
      program(`() => new Promise(() => { say('ready'); setInterval(() => {}, 1000).unref() })`, ', graceMs: 100, abandonMs: 100'),
      ['SIGTERM'],
    )
    expect(out).toEqual(['ready', 'stuck', 'released', 'done', 'exit 0'])
    expect(code).toBe(0)
  }, 40_000)

  it('a signal during the start stops it', async () => {
    const { code, out } = await runProgram(
      `
      const store = memoryStore()
      const Work = kind('work', () => {})
      const register = store.register.bind(store)
      store.register = async (...args) => { say('ready'); await new Promise(resolve => setTimeout(resolve, 300)); return register(...args) }
      const runner = startRunner({ store, kinds: [Work], queues: { default: 2 }, logger: quiet })
      runner.done.then(() => say('done'), error => say('done: ' + error.code))
    `,
      ['SIGTERM'],
    )
    expect(out).toEqual(['ready', 'done', 'exit 0'])
    expect(code).toBe(0)
  }, 40_000)
})
