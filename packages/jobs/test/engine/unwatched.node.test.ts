import { describe, expect, it } from 'vitest'
import { runProgram } from '../support/child-process.ts'

const start = `startRunner({
  store: sqliteStore('/nowhere/at/all/jobs.db'), kinds: [kind('k', () => 1)], queues: { default: 1 }, logger: quiet, runtime: undefined
})`

describe('a runner that cannot start', () => {
  it('is raised where nobody watches it: the process ends with 1, and says why', async () => {
    const { code, err } = await runProgram(`${start}\nsetTimeout(() => {}, 5000)`)
    expect(code).toBe(1)
    expect(err).toContain('/nowhere/at/all')
  }, 40_000)

  it('is told to whoever asks for ready or done, and not raised', async () => {
    const { code, out } = await runProgram(`
      await ${start}.ready.catch(error => say('ready: ' + error.code))
      await ${start}.done.catch(error => say('done: ' + error.code))
    `)
    expect([code, out]).toEqual([0, ['ready: STORE_UNAVAILABLE', 'done: STORE_UNAVAILABLE', 'exit 0']])
  }, 40_000)
})
