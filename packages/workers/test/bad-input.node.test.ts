/** What is refused, and how. */
import { GenStageError, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { builtStages } from './support/built.ts'
import type { Double } from './support/stages.ts'
import { liveThreads, onThread, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

/** The error that a call throws. */
function refusal(call: () => unknown): GenStageError {
  try {
    call()
  } catch (error) {
    if (error instanceof GenStageError) return error
    throw error
  }
  throw new Error('it was not refused')
}

function withOptions(options: unknown): GenStageError {
  return refusal(() => onThread<typeof Double>(builtStages, options as object))
}

describe('onThread refuses at the call, with BAD_OPTION,', () => {
  it.each([
    ['no module', undefined],
    ['a relative path', './stages.ts'],
    ['no text', ''],
    ['a number', 7],
    ['an object', { href: 'file:///stages.ts' }],
  ])('a module that is no URL: %s', (_, module) => {
    const error = refusal(() => onThread<typeof Double>(module as URL, { export: 'Double' }))
    expect([error.code, error.option]).toEqual(['BAD_OPTION', 'module'])
    expect(error.message).toContain('must be a URL')
  })

  it.each([
    ['export', ''],
    ['export', 1],
    ['export', null],
    ['type', 'producer'],
    ['type', 'consumr'],
    ['encoding', 'text'],
    ['encoding', true],
    ['transfer', 'all'],
    ['transfer', true],
  ])('the option %s: %s', (option, value) => {
    const error = withOptions({ [option]: value })
    expect([error.code, error.option]).toEqual(['BAD_OPTION', option])
  })

  it('BAD-19 unknown options, with a suggestion', () => {
    expect(withOptions({ exprot: 'Double' }).message).toContain('did you mean export?')
    expect(withOptions({ worker: { execArgs: [] } }).message).toContain('did you mean execArgv?')
    expect(withOptions({ worker: { workerData: 1 } }).code).toBe('BAD_OPTION')
  })

  it('BAD-20 BAD-21 options that are no object, and what is inherited', () => {
    for (const options of [null, [], new Map(), 'Double']) expect(withOptions(options).code).toBe('BAD_OPTION')
    for (const worker of [null, [], 'none']) expect(withOptions({ worker }).code).toBe('BAD_OPTION')
    expect(() => onThread<typeof Double>(builtStages, Object.create({ export: 7 }) as object)).not.toThrow()
  })
})

describe('the start fails', () => {
  async function startOf(module: URL, options: object): Promise<unknown> {
    const { runtime, uncaught } = recordedRuntime()
    const stage = start(threaded('Double', options, module), { runtime, name: 'hash' })
    const error: unknown = await stage.ready.then(
      () => undefined,
      (failure: unknown) => failure,
    )
    await stage.exited
    await threadsGone()
    expect([liveThreads.size, uncaught]).toEqual([0, []])
    return error
  }

  it('with SETUP_FAILED if there is no such module, or if it throws when it is imported', async () => {
    const missing = await startOf(new URL('./nowhere.js', builtStages), {})
    expect(missing).toMatchObject({ code: 'SETUP_FAILED', stage: 'hash', cause: { code: 'ERR_MODULE_NOT_FOUND' } })
    expect(String(missing)).toContain('nowhere.js')
    const throwing = new URL(`data:text/javascript,${encodeURIComponent("throw new RangeError('at import')")}`)
    expect(await startOf(throwing, {})).toMatchObject({ code: 'SETUP_FAILED', cause: new RangeError('at import') })
    const broken = new URL('data:text/javascript,export const = 1')
    expect(await startOf(broken, {})).toMatchObject({ code: 'SETUP_FAILED', cause: { name: 'SyntaxError' } })
  })

  it.each([
    ['no such export', 'Dubble', 'did you mean Double?'],
    ['no definition', 'notADefinition', 'must be a definition, not an object'],
    ['an inherited name', 'toString', 'has no export'],
  ])('with BAD_OPTION, naming the export: %s', async (_, name, words) => {
    const error = await startOf(builtStages, { export: name })
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'export', stage: 'hash' })
    expect(String(error)).toContain(words)
    expect(String(error)).toContain(name)
  })

  it.each([
    ['Keeper', {}, "write type: 'consumer'"],
    ['Double', { type: 'consumer' }, "write type: 'producerConsumer'"],
    ['Source', {}, 'only consumers and producerConsumers run on a thread'],
    ['Tree', {}, 'only consumers and producerConsumers run on a thread'],
  ])('with BAD_OPTION for another kind of stage: %s', async (name, options, words) => {
    const error = await startOf(builtStages, { ...options, export: name })
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'type', stage: 'hash' })
    expect(String(error)).toContain(words)
  })

  it('with the error of the platform for options of the worker that are none', async () => {
    expect(await startOf(builtStages, { worker: { execArgv: ['--no-such-flag'] } })).toMatchObject({
      code: 'SETUP_FAILED',
      cause: { code: 'ERR_WORKER_INVALID_EXEC_ARGV' },
    })
    expect(await startOf(builtStages, { worker: { env: 7 } })).toMatchObject({
      code: 'SETUP_FAILED',
      cause: { code: 'ERR_INVALID_ARG_TYPE' },
    })
  })
})
