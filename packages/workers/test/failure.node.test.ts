/** The end of a thread, whatever it dies of, is the end of its stage: with the error of the thread, once, and with nothing lost unseen. */
import { fromIterable, GenStageError, producerName, type Reason, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import type { Failure } from './support/stages.ts'
import { liveThreads, type Recorded, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

/** Starts a stage that fails at the third event, and waits for its end. */
async function failing(
  how: Failure,
  worker = {},
): Promise<Recorded & { readonly reason: Reason; readonly discarded: readonly unknown[] }> {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const discarded: unknown[] = []
  runtime.telemetry.on('discarded', ({ events }) => discarded.push(...events))
  const source = start(fromIterable<Failure | 'fine'>(['fine', 'fine', how, 'fine', 'fine', 'fine']), { runtime })
  source.monitor(() => {})
  const stage = start(threaded('Failing', { worker }), { runtime, name: 'failing' })
  const out: unknown[] = []
  const reading = (async () => {
    for await (const event of stage.stream({ cancel: 'temporary' })) out.push(event)
  })()
  stage.subscribe({ to: source, maxDemand: 2, minDemand: 1 })
  const reason = await stage.exited
  await reading
  await threadsGone()
  expect(out).toEqual(['fine', 'fine'])
  expect(liveThreads.size).toBe(0)
  expect(recorded.uncaught).toEqual([])
  return { ...recorded, reason, discarded }
}

function errorOf(reason: Reason): Error {
  if (reason.type === 'error' && reason.error instanceof Error) return reason.error
  throw new Error(`ended with ${reason.type}`)
}

describe('a failure on the thread', () => {
  it('INV-17 is the failure of the stage, with the stack of the thread, told once', async () => {
    const { reason, lines, discarded } = await failing('throw')
    const error = errorOf(reason)
    expect([error.name, error.message]).toEqual(['Error', 'thrown on the thread'])
    expect(error.stack).toContain('stages.js')
    expect(lines.filter(({ level }) => level === 'error').map(({ fields }) => fields?.['code'])).toEqual(['stage_failed'])
    expect(lines.map(({ text }) => text)).toContain('terminate: error')
    expect(discarded).toContain('throw')
  })

  it('keeps class, name, code, cause and errors', async () => {
    const error = errorOf((await failing('typed')).reason)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'HashError', message: 'no digest', code: 'E_HASH' })
    const { cause } = error
    expect(cause).toBeInstanceOf(AggregateError)
    expect(cause instanceof AggregateError && cause.errors).toEqual([new RangeError('one'), 'two'])
  })

  it('may be a rejection, no error at all, an error of ours, or one that is its own cause', async () => {
    expect(errorOf((await failing('reject')).reason)).toBeInstanceOf(RangeError)
    expect((await failing('value')).reason).toEqual({ type: 'error', error: { plain: 'value' } })
    const own = errorOf((await failing('stage')).reason)
    expect(own).toBeInstanceOf(GenStageError)
    expect(own).toMatchObject({ code: 'TIMEOUT', stage: 'other', message: 'too slow', cause: new Error('slow') })
    expect(errorOf((await failing('cycle')).reason).message).toBe('its own cause')
  })

  it('BAD-53 an answer that is no array is refused with the name of the stage', async () => {
    const error = errorOf((await failing('wrong')).reason)
    expect(error).toMatchObject({ code: 'BAD_RETURN', stage: 'failing', option: 'handleEvents' })
  })

  it('F61 an error that nobody caught ends thread and stage, with its code', async () => {
    expect(errorOf((await failing('uncaught')).reason)).toMatchObject({
      name: 'HashError',
      code: 'E_HASH',
      message: 'nobody caught it',
    })
    expect(errorOf((await failing('unhandled')).reason)).toMatchObject({
      name: 'HashError',
      code: 'E_HASH',
      message: 'nobody handled it',
    })
  })

  it.each([
    ['exit', 7],
    ['exit 0', 0],
  ] as const)('F61 a thread that ends itself fails the stage with WORKER_FAILED: %s', async (how, code) => {
    const error = errorOf((await failing(how)).reason)
    expect(error).toMatchObject({
      code: 'WORKER_FAILED',
      stage: 'failing',
      message: `stage "failing": its thread has ended with exit code ${code}`,
    })
  })

  it('F61 a thread without memory ends alone', { timeout: 30_000 }, async () => {
    const { reason } = await failing('memory', { resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } })
    expect(errorOf(reason)).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' })
  })

  it('F61 a thread that is terminated from outside fails the stage', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('Echo'), { runtime, name: 'echo' })
    await stage.ready
    for (const worker of liveThreads) void worker.terminate()
    expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'WORKER_FAILED', stage: 'echo' } })
  })

  it('in a message: the stage fails, behind what came before', async () => {
    const { runtime } = recordedRuntime()
    const talker = start(threaded('Talker'), { runtime })
    const out: string[] = []
    const reading = (async () => {
      for await (const event of talker.stream({ cancel: 'temporary' })) out.push(event)
    })()
    talker.cast('one')
    talker.cast('fail')
    talker.cast('two')
    expect(errorOf(await talker.exited).message).toBe('told to')
    await reading
    expect(out).toEqual(['cast one'])
  })
})

describe('a failure of the start', () => {
  async function startFailing(how: 'setup' | 'setup later' | 'stop' | 'exit' | 'callbacks') {
    const { runtime, uncaught, lines } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, name: 'failing', arg: how })
    const ready = stage.ready.catch((error: unknown) => error)
    const reason = await stage.exited
    await threadsGone()
    expect(uncaught).toEqual([])
    return { error: await ready, reason, lines }
  }

  it.each(['setup', 'setup later'] as const)('of the setup on the thread: %s', async how => {
    const { error, reason } = await startFailing(how)
    expect(error).toMatchObject({ code: 'SETUP_FAILED', stage: 'failing', cause: { name: 'HashError', code: 'E_HASH' } })
    expect(errorOf(reason)).toMatchObject({ name: 'HashError', code: 'E_HASH' })
  })

  it('of a thread that ends in its setup', async () => {
    expect((await startFailing('exit')).error).toMatchObject({ code: 'WORKER_FAILED', stage: 'failing' })
  })

  it('because it stops itself', async () => {
    const { error, reason } = await startFailing('stop')
    expect([error, reason]).toMatchObject([{ code: 'SETUP_FAILED' }, { type: 'shutdown' }])
  })

  it('because of unknown callbacks, which are refused with a suggestion', async () => {
    const { error } = await startFailing('callbacks')
    expect(error).toMatchObject({ code: 'BAD_CALLBACKS', stage: 'failing' })
    expect(String(error)).toContain('handleEvents')
  })

  it('INV-21 behind the setup, because there is nobody to subscribe to: the thread is not left behind', async () => {
    const { runtime } = recordedRuntime()
    const Nobody = producerName<number>('nobody')
    const stage = start(threaded('Double'), { runtime, subscribeTo: [Nobody] })
    expect(await stage.exited).toEqual({ type: 'noproc' })
    await threadsGone()
    expect(liveThreads.size).toBe(0)
  })

  it('is none if the setup answers ignore', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, arg: 'ignore' })
    expect([await stage.ready, await stage.exited]).toEqual(['ignored', { type: 'normal' }])
    await threadsGone()
  })

  it('a setup that never ends is killed by startTimeout, with its thread', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, arg: 'hang', startTimeout: 200 })
    using _ = runtime.keepAlive()
    await expect(stage.ready).rejects.toMatchObject({ code: 'TIMEOUT' })
    await threadsGone()
  })
})

describe('a failure of the end', () => {
  it('terminate that throws is the reason of the end', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, arg: 'terminate' })
    await stage.ready
    expect(errorOf(await stage.stop())).toMatchObject({ name: 'HashError', code: 'E_HASH' })
    await threadsGone()
  })

  it('terminate that never ends is killed when the time of the stop is over', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, arg: 'terminate hangs' })
    await stage.ready
    expect(await stage.stop('normal', { timeout: 50 })).toEqual({ type: 'killed' })
    await threadsGone()
  })

  it('a failure, and then another one in terminate: both are told', async () => {
    const { runtime, lines } = recordedRuntime()
    const stage = start(threaded('FailingElsewhere'), { runtime, arg: 'terminate' })
    stage.cast('nobody takes it' as never)
    expect(errorOf(await stage.exited)).toMatchObject({ code: 'E_HASH' })
    const failures = lines.filter(({ fields }) => fields?.['code'] === 'stage_failed').map(({ fields }) => fields?.['error'])
    expect(failures).toMatchObject([{ code: 'NO_HANDLER' }, { code: 'E_HASH' }])
  })
})
