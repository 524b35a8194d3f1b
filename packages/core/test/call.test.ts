import { consumer, producer, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { rejectionOf, watchedRuntime, wrong } from './support/watched-runtime.ts'

const boom = new Error('boom')

/** Answers at once, later, or never; `settle` answers what waits. */
const Answering = producer((_: void, ctx) => {
  const waiting: ((value: string) => void)[] = []
  return {
    handleDemand() {},
    handleCall(request: 'now' | 'later' | 'nothing' | 'twice' | 'stop' | 'throw' | 'hang', reply: (value: string) => void) {
      if (request === 'now') return { reply: 'answer' }
      if (request === 'later') waiting.push(reply)
      if (request === 'twice') {
        reply('first')
        reply('second')
        return { reply: 'third' }
      }
      if (request === 'stop') {
        ctx.stop('shutdown')
        return { reply: 'last' }
      }
      if (request === 'throw') throw boom
      if (request === 'hang') return new Promise<never>(() => {})
      return undefined
    },
    handleCast(value: string) {
      for (const reply of waiting.splice(0)) reply(value)
    },
  }
})

function answering() {
  const world = watchedRuntime()
  return { ...world, stage: start(Answering, { runtime: world.runtime, name: 'stage' }) }
}

describe('a call', () => {
  it('GS-L9 GS-C4 brings the answer that handleCall returns', async () => {
    const { stage, timers } = answering()
    expect(await stage.call('now')).toBe('answer')
    expect(timers()).toBe(0)
  })

  it('GS-L9 is answered later through reply, by any callback, while the stage goes on', async () => {
    const { stage, settle, timers } = answering()
    const [one, other] = [stage.call('later'), stage.call('later')]
    expect(await stage.call('now')).toBe('answer')
    await settle()
    stage.cast('at last')
    expect(await Promise.all([one, other])).toEqual(['at last', 'at last'])
    expect(timers()).toBe(0)
  })

  it('GS-C4 takes the first answer only', async () => {
    const { stage, uncaught } = answering()
    expect(await stage.call('twice')).toBe('first')
    expect(uncaught).toEqual([])
  })

  it('GS-C4 an answer of undefined is an answer, none at all is not', async () => {
    const { runtime, settle } = watchedRuntime()
    const Void = producer(() => ({
      handleDemand() {},
      handleCall: (request: 'yes' | 'no') => (request === 'yes' ? { reply: undefined } : {}),
    }))
    const stage = start(Void, { runtime })
    expect(await stage.call('yes')).toBeUndefined()
    let answered = false
    stage.call('no').then(
      () => (answered = true),
      () => {},
    )
    await settle()
    expect(answered).toBe(false)
    await stage.stop()
  })

  it('GS-L9 GS-J12 rejects with TIMEOUT after 5,000 ms, and a late answer means nothing', async () => {
    const { stage, settle, pass, timers, uncaught, raised } = answering()
    const call = rejectionOf(stage.call('later'))
    await pass(4_999)
    expect(timers()).toBe(1)
    await pass(1)
    expect(await call).toMatchObject(refusal('TIMEOUT', undefined, 'stage "stage"', 'call', '5000 ms'))
    stage.cast('late')
    await settle()
    expect([...uncaught, ...raised]).toEqual([])
    expect(timers()).toBe(0)
    expect(await stage.call('now')).toBe('answer')
  })

  it.each([0, 50])('GS-L9 waits as long as it is told: %d ms', async timeout => {
    const { stage, pass } = answering()
    const call = rejectionOf(stage.call('nothing', { timeout }))
    await pass(timeout)
    expect(await call).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining(`${timeout} ms`) as string })
  })

  it('GS-L9 waits for ever with Infinity', async () => {
    const { stage, pass, timers } = answering()
    const call = stage.call('later', { timeout: Infinity })
    await pass(1e9)
    expect(timers()).toBe(0)
    stage.cast('at last')
    expect(await call).toBe('at last')
  })

  it('GS-L9 rejects with the reason of its signal when that is aborted', async () => {
    const { stage, settle, timers, uncaught, raised } = answering()
    const controller = new AbortController()
    const call = rejectionOf(stage.call('later', { signal: controller.signal }))
    await settle()
    controller.abort(boom)
    expect(await call).toBe(boom)
    expect(timers()).toBe(0)
    stage.cast('late')
    await settle()
    expect([...uncaught, ...raised]).toEqual([])
  })

  it('GS-J12 settles once, whatever comes first', async () => {
    const { stage, settle, pass } = answering()
    const controller = new AbortController()
    const call = stage.call('later', { signal: controller.signal, timeout: 10 })
    await settle()
    stage.cast('answer')
    await settle()
    controller.abort(boom)
    await pass(10)
    expect(await call).toBe('answer')
  })

  it('X20 GS-C3 without handleCall is rejected with NO_HANDLER, and the stage is as before', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const seen: number[] = []
    const Mute = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
    const stage = start(Mute, { runtime, name: 'mute' })
    const Sink = consumer.of<number>()(() => ({ handleEvents: events => void seen.push(...events) }))
    start(Sink, { runtime, subscribeTo: [stage] })
    const call = rejectionOf(stage.call(wrong('size')))
    stage.cast([1])
    expect(await call).toMatchObject({
      ...refusal('NO_HANDLER', undefined, 'stage "mute"', 'handleCall', '"size"'),
      stage: 'mute',
    })
    await settle()
    expect(seen).toEqual([1])
    expect(uncaught).toEqual([])
  })

  it('GS-C4 that stops the stage is answered all the same', async () => {
    const { stage } = answering()
    const exited = stage.exited
    expect(await stage.call('stop')).toBe('last')
    expect(await exited).toEqual({ type: 'shutdown' })
  })

  it.each<[string, 'throw' | 'hang' | 'later', (stage: ReturnType<typeof answering>['stage']) => unknown, object]>([
    ['handleCall throws', 'throw', stage => stage.exited, { type: 'error', error: boom }],
    ['the stage is stopped', 'later', stage => stage.stop('shutdown'), { type: 'shutdown' }],
    ['the stage is killed in the middle', 'hang', stage => stage.kill(), { type: 'killed' }],
  ])('BAD-45 GS-L9 rejects with STOPPED and the exit reason when %s', async (_how, request, end, reason) => {
    const { stage, settle, timers } = answering()
    const call = rejectionOf(stage.call(request))
    const waiting = rejectionOf(stage.call('later'))
    await settle()
    end(stage)
    expect(await call).toMatchObject({ ...refusal('STOPPED', undefined, 'stage "stage"'), reason })
    expect(await waiting).toMatchObject({ code: 'STOPPED', reason })
    expect(timers()).toBe(0)
  })

  it('BAD-45 GS-L9 an answer after the end means nothing', async () => {
    const { runtime } = watchedRuntime()
    let late = (_value: string): void => {}
    const Keeping = producer(() => ({
      handleDemand() {},
      handleCall(_request: 'keep', reply: (value: string) => void) {
        late = reply
      },
    }))
    const stage = start(Keeping, { runtime })
    const call = rejectionOf(stage.call('keep'))
    await stage.stop()
    late('too late')
    expect(await call).toMatchObject({ code: 'STOPPED' })
  })

  it('GS-L1 waits for the setup, and is rejected when that fails', async () => {
    const { runtime } = watchedRuntime()
    const Failing = producer(async () => {
      if (runtime !== undefined) throw boom
      return { handleDemand() {}, handleCall: (_request: 'now') => ({ reply: 1 }) }
    })
    const stage = start(Failing, { runtime })
    expect(await rejectionOf(stage.call('now'))).toMatchObject({ code: 'STOPPED', reason: { type: 'error', error: boom } })
  })

  it('may be made by another stage, inside a callback', async () => {
    const { runtime, settle } = watchedRuntime()
    const answers: unknown[] = []
    const stage = start(Answering, { runtime })
    const Asking = consumer.of<number>()(() => ({
      handleEvents() {},
      async handleCast(request: 'now' | 'later') {
        answers.push(await stage.call(request))
      },
    }))
    const asking = start(Asking, { runtime })
    asking.cast('later')
    asking.cast('now')
    await settle()
    expect(answers).toEqual([])
    stage.cast('at last')
    await settle()
    expect(answers).toEqual(['at last', 'answer'])
  })

  it('GS-A9 of a stage to itself waits for itself: it ends with the timeout', async () => {
    const { runtime, pass, settle } = watchedRuntime()
    let call: Promise<unknown> | undefined
    const Selfish = producer((_: void, { self }) => ({
      handleDemand() {},
      async handleCast(_message: 'go') {
        call = rejectionOf(self.call('me', { timeout: 10 }))
        await call
      },
      handleCall: (_request: 'me') => ({ reply: 1 }),
    }))
    const stage = start(Selfish, { runtime })
    stage.cast('go')
    await settle()
    await pass(10)
    expect(await call).toMatchObject({ code: 'TIMEOUT' })
    expect(await stage.call('me')).toBe(1)
  })
})

describe('a cast', () => {
  it('GS-L9 GS-A2 arrives in order, whatever else is sent', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: string[] = []
    const Listening = producer(() => ({
      handleDemand() {},
      handleCast: (message: string) => void seen.push(message),
      handleInfo: (message: string) => void seen.push(message),
      handleCall(request: string) {
        seen.push(request)
        return { reply: seen.length }
      },
    }))
    const stage = start(Listening, { runtime })
    stage.cast('1')
    stage.send('2')
    const third = stage.call('3')
    stage.cast('4')
    expect(await third).toBe(3)
    await settle()
    expect(seen).toEqual(['1', '2', '3', '4'])
  })

  it('GS-C3 without handleCast ends the stage with NO_HANDLER', async () => {
    const { runtime } = watchedRuntime()
    const stage = start(
      producer(() => ({ handleDemand() {} })),
      { runtime, name: 'mute' },
    )
    stage.cast(wrong('hello'))
    const error = refusal('NO_HANDLER', undefined, 'stage "mute"', 'handleCast', '"hello"')
    expect(await stage.exited).toMatchObject({ type: 'error', error })
  })
})

describe('syncInfo', () => {
  it('GS-I1 GS-I2 settles when the info is queued, not when it is handled', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: string[] = []
    let release = (): void => {}
    const Slow = producer(() => ({
      handleDemand() {},
      async handleInfo(message: string) {
        await new Promise<void>(resolve => {
          release = resolve
        })
        seen.push(message)
      },
    }))
    const stage = start(Slow, { runtime })
    await stage.syncInfo('one')
    expect(seen).toEqual([])
    await settle()
    release()
    await settle()
    expect(seen).toEqual(['one'])
  })

  it('GS-L9 rejects like a call', async () => {
    const { stage, settle, pass } = answering()
    const hanging = stage.call('hang').catch(() => {})
    await settle()
    const waiting = rejectionOf(stage.syncInfo(wrong('info'), { timeout: 10 }))
    await pass(10)
    expect(await waiting).toMatchObject(refusal('TIMEOUT', undefined, 'stage "stage"', 'syncInfo', '10 ms'))
    const stopped = rejectionOf(stage.syncInfo(wrong('info')))
    await stage.kill()
    expect(await stopped).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    await hanging
  })
})
