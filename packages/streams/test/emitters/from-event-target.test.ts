import { start } from '@genstage/core'
import { adapterContract, type SourceAdapter } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { fromEventTarget } from '../../src/index.ts'
import { recordedRuntime, thrownBy, wrong } from '../web/support/recorded-runtime.ts'

/** A target that counts its listeners. */
class CountedTarget extends EventTarget {
  listeners = 0

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++
    super.addEventListener(...args)
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--
    super.removeEventListener(...args)
  }
}

class Data extends Event {
  readonly data: unknown

  constructor(data: unknown) {
    super('data')
    this.data = data
  }
}

class Failed extends Event {
  readonly error: unknown

  constructor(error: unknown) {
    super('failed')
    this.error = error
  }
}

const adapter: SourceAdapter = {
  kind: 'source',
  name: 'fromEventTarget',
  open(runtime, signal) {
    const target = new CountedTarget()
    const map = (event: Data): unknown => event.data
    const options = { map, end: 'close', error: 'failed', bufferSize: Infinity }
    const ref = start(fromEventTarget(target, 'data', options), { runtime, ...(signal === undefined ? {} : { signal }) })
    let isReady = false
    const waiting: (() => void)[] = []
    void ref.ready.then(
      () => {
        isReady = true
        for (const act of waiting.splice(0)) act()
      },
      () => {},
    )
    const act = (action: () => void): void => void (isReady ? action() : waiting.push(action))
    return {
      ref,
      push: events => act(() => events.forEach(event => target.dispatchEvent(new Data(event)))),
      end: () => act(() => target.dispatchEvent(new Event('close'))),
      fail: error => act(() => target.dispatchEvent(new Failed(error))),
      released: () => (isReady && target.listeners === 0 ? 1 : 0),
    }
  },
}

describe('fromEventTarget', () => {
  const contract = adapterContract(adapter, { lookAhead: Infinity, takesSignal: true })
  it.each(contract.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })

  it('hands the event on as it is, and fails with an event that has no error', async () => {
    const { runtime } = recordedRuntime()
    const target = new EventTarget()
    const source = start(fromEventTarget(target, 'tick', { error: ['error', 'abort'] }), { runtime })
    const { exited } = source
    await source.ready
    const tick = new Event('tick')
    target.dispatchEvent(tick)
    for await (const event of source.stream()) {
      expect(event).toBe(tick)
      break
    }
    const abort = new Event('abort')
    target.dispatchEvent(abort)
    const reason = await exited
    expect(reason.type === 'error' && reason.error).toBe(abort)
  })

  it('listens to an AbortSignal and to a port', async () => {
    const { runtime } = recordedRuntime()
    const abort = new AbortController()
    const aborts = start(fromEventTarget(abort.signal, 'abort', { map: () => 'aborted', end: 'abort' }), { runtime })
    const { port1, port2 } = new MessageChannel()
    const messages = start(fromEventTarget(port1, 'message', { map: (event: MessageEvent<number>) => event.data }), { runtime })
    await Promise.all([aborts.ready, messages.ready])
    port1.start()
    port2.postMessage(7)
    for await (const data of messages.stream()) {
      expect(data).toBe(7)
      break
    }
    port1.close()
    abort.abort()
    for await (const event of aborts.stream({ cancel: 'transient' })) expect(event).toBe('aborted')
    expect(await aborts.exited).toEqual({ type: 'normal' })
  })

  it('BAD-64 BAD-65 BAD-19 refuses at the call', async () => {
    const { runtime } = recordedRuntime()
    const target = new EventTarget()
    const refused = (options: unknown) => thrownBy(() => fromEventTarget(target, 'x', wrong(options)))
    expect(thrownBy(() => fromEventTarget(wrong({}), 'x'))).toMatchObject({ code: 'BAD_SOURCE' })
    expect(thrownBy(() => fromEventTarget(target, ''))).toMatchObject({ code: 'BAD_SOURCE' })
    expect(refused({ error: 5 })).toMatchObject({ code: 'BAD_OPTION', option: 'error' })
    expect(refused({ onCancel: 'never' })).toMatchObject({
      code: 'BAD_OPTION',
      option: 'onCancel',
      message: "fromEventTarget: onCancel must be one of 'continue', 'stop', not \"never\"",
    })
    const reason = await start(
      fromEventTarget(() => wrong(1), 'x'),
      { runtime },
    ).exited
    expect(reason).toMatchObject({ type: 'error', error: { code: 'BAD_SOURCE' } })
  })
})
