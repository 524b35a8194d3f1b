/** What every kind of emitter has to keep to; run on each of them. */
import { start } from '@genstage/core'
import { adapterContract, probeConsumer, type SourceAdapter } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EmitterLike, fromEventEmitter } from '../../../src/index.ts'
import { quiet, range, recordedRuntime } from '../../web/support/recorded-runtime.ts'

/** An emitter that tells how many listeners it has. */
export interface CountedEmitter extends EmitterLike {
  emit(event: string | symbol, ...args: readonly unknown[]): unknown
  listenerCount(event: string | symbol): number
}

export function emitterCases(name: string, create: () => CountedEmitter): void {
  const adapter: SourceAdapter = {
    kind: 'source',
    name: `fromEventEmitter over ${name}`,
    open(runtime, signal) {
      const emitter = create()
      const definition = fromEventEmitter(() => emitter, 'data', { end: ['finish', 'close'], bufferSize: Infinity })
      const ref = start(definition, { runtime, ...(signal === undefined ? {} : { signal }) })
      let before = 0
      // What is emitted before the setup has run is heard by nobody
      const ready: (() => void)[] = []
      void ref.ready.then(
        () => {
          before = emitter.listenerCount('data')
          for (const act of ready.splice(0)) act()
          isReady = true
        },
        () => {},
      )
      let isReady = false
      const act = (action: () => void): void => void (isReady ? action() : ready.push(action))
      const emit = (event: string, ...args: readonly unknown[]): void => {
        // Node's emitters throw when nobody listens to an error
        if (emitter.listenerCount(event) > 0) emitter.emit(event, ...args)
      }
      return {
        ref,
        push: events => act(() => events.forEach(event => emit('data', event))),
        end: () => act(() => emit('close')),
        fail: error => act(() => emit('error', error)),
        released: () => before - emitter.listenerCount('data'),
      }
    },
    unusable: {
      'no emitter': runtime => {
        const ref = start(
          fromEventEmitter(() => ({}) as never, 'data'),
          { runtime },
        )
        ref.monitor(() => {})
        return ref
      },
    },
  }

  describe(`fromEventEmitter over ${name}`, () => {
    const contract = adapterContract(adapter, { lookAhead: Infinity, takesSignal: true })
    it.each(contract.map(({ ids, name: title, run }) => [ids.join(' '), title, run] as const))(
      '%s %s',
      async (_ids, _title, run) => {
        await run()
      },
    )

    it.each(['dropOldest', 'dropNewest', 'error'] as const)(
      'F51 INV-6 with %s every event that is emitted is handled or reported as dropped',
      async overflow => {
        const plan = fc.array(fc.record({ emit: fc.nat(20), ask: fc.nat(6) }), { maxLength: 12 })
        await fc.assert(
          fc.asyncProperty(plan, fc.nat(10), async (steps, bufferSize) => {
            const { runtime, lost } = recordedRuntime()
            const emitter = create()
            const source = start(fromEventEmitter<number>(emitter, 'data', { bufferSize, overflow }), { runtime })
            source.monitor(() => {})
            const probe = probeConsumer<number>({ mode: 'manual' })
            start(probe.definition, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
            await quiet(3)
            let emitted = 0
            for (const { emit, ask } of steps) {
              // An overflow has ended it: nobody listens any more
              if (emitter.listenerCount('data') === 0) break
              probe.subscriptions[0]?.ask(ask)
              await quiet(2)
              for (let count = 0; count < emit; count++) if (emitter.emit('data', emitted) !== false) emitted++
              await quiet(2)
            }
            await source.stop()
            await quiet(3)
            const dropped = lost.flatMap(([, events]) => events)
            expect([...probe.events, ...dropped].toSorted((a, b) => Number(a) - Number(b))).toEqual(range(emitted))
            expect(probe.events).toEqual(probe.events.toSorted((a, b) => a - b))
          }),
          { seed: 20_261_122, numRuns: 40 },
        )
      },
    )

    it('takes all listeners off, after the end of the emitter as well', async () => {
      const { runtime } = recordedRuntime()
      const names = ['data', 'close', 'error']
      for (const end of ['close', 'error', 'stop', 'kill']) {
        const emitter = create()
        const source = start(fromEventEmitter(emitter, 'data', { end: 'close' }), { runtime })
        source.monitor(() => {})
        start(probeConsumer().definition, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
        await source.ready
        expect(names.map(each => emitter.listenerCount(each))).toEqual([1, 1, 1])
        if (end === 'stop') await source.stop()
        else if (end === 'kill') await source.kill()
        else emitter.emit(end, new Error('over'))
        await source.exited
        expect(names.map(each => emitter.listenerCount(each))).toEqual([0, 0, 0])
      }
    })

    it('makes events of several arguments, by default of the first; names may be symbols', async () => {
      const { runtime } = recordedRuntime()
      const emitter = create()
      const event = Symbol('event')
      const map = (a: number, b: string): string => `${a}${b}`
      const both = start(fromEventEmitter(emitter, event, { map, end: 'close' }), { runtime })
      const first = start(fromEventEmitter<number>(emitter, event, { end: 'close' }), { runtime })
      await Promise.all([both.ready, first.ready])
      emitter.emit(event, 1, 'a')
      emitter.emit(event, 2, 'b')
      emitter.emit('close')
      const texts: string[] = []
      const numbers: number[] = []
      for await (const text of both.stream({ cancel: 'transient' })) texts.push(text)
      for await (const number of first.stream({ cancel: 'transient' })) numbers.push(number)
      expect([texts, numbers]).toEqual([
        ['1a', '2b'],
        [1, 2],
      ])
    })

    it('INV-17 what map throws is the failure of the stage, and does not reach who emits', async () => {
      const { runtime } = recordedRuntime()
      const emitter = create()
      const error = new Error('cannot map')
      const map = (): never => {
        throw error
      }
      const source = start(fromEventEmitter(emitter, 'data', { map }), { runtime })
      const { exited } = source
      await source.ready
      emitter.emit('data', 1)
      expect(await exited).toEqual({ type: 'error', error })
    })
  })
}
