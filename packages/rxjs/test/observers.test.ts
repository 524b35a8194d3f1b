import { consumer, fromIterable, start } from '@genstage/core'
import { probeProducer } from '@genstage/testing'
import { config, map, take, Subject } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { asObservable, toObserver } from '../src/index.ts'
import { recordedRuntime, settle } from './support/runtime.ts'

function* endless(): Generator<number> {
  for (let next = 1; ; next++) yield next
}

/** A producer that counts what is taken of it. */
function counting() {
  const recorded = recordedRuntime()
  let taken = 0
  function* numbers(): Generator<number> {
    for (const number of endless()) {
      taken++
      yield number
    }
  }
  const ref = start(fromIterable(numbers), { runtime: recorded.runtime })
  ref.monitor(() => {})
  return { ...recorded, ref, taken: () => taken }
}

afterEach(() => {
  config.onUnhandledError = null
})

describe('asObservable', () => {
  it('INV-14 is cold: each subscribe is a subscription of its own, and nothing happens before', async () => {
    const { ref, runtime } = counting()
    const observable = asObservable(ref, { maxDemand: 2 })
    await settle()
    expect(runtime.topology().edges).toEqual([])
    const [first, second] = [[] as number[], [] as number[]]
    const subscriptions = [first, second].map(events => observable.pipe(take(4)).subscribe(event => events.push(event)))
    await settle()
    expect([...first, ...second].sort((a, b) => a - b).length).toBe(8)
    expect(new Set([...first, ...second]).size).toBe(8)
    expect(subscriptions.every(({ closed }) => closed)).toBe(true)
  })

  it('INV-2 emits a batch synchronously, and asks for the next when that is done', async () => {
    const { ref, taken } = counting()
    const turns: number[] = []
    let turn = 0
    const subscription = asObservable(ref, { maxDemand: 4, minDemand: 0 })
      .pipe(take(8))
      .subscribe(() => {
        if (turns.length % 4 === 0) turn++
        turns.push(turn)
      })
    await settle()
    expect(turns).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
    expect(taken()).toBe(8)
    expect(subscription.closed).toBe(true)
  })

  it('F55 unsubscribing in mid-batch: nothing comes after it, the subscription is cancelled, the producer lives on', async () => {
    const { ref, runtime } = counting()
    const events: number[] = []
    const subscription = asObservable(ref).subscribe(event => {
      events.push(event)
      if (event === 3) subscription.unsubscribe()
    })
    await settle()
    expect(events).toEqual([1, 2, 3])
    expect(runtime.topology()).toMatchObject({ stages: [{ id: ref.id }], edges: [] })
  })

  it('F12 an operator that throws in mid-batch is an error behind it, and cancels', async () => {
    const { ref, runtime, uncaught } = counting()
    const error = new Error('boom')
    const seen: unknown[] = []
    asObservable(ref)
      .pipe(
        map(event => {
          if (event === 2) throw error
          return event
        }),
      )
      .subscribe({ next: event => seen.push(event), error: failure => seen.push(failure) })
    await settle()
    expect(seen).toEqual([1, error])
    expect(runtime.topology().edges).toEqual([])
    expect(uncaught).toEqual([])
  })

  it('F12 an observer that throws is told of by rxjs, once for each throw, and gets its events', async () => {
    const { ref, uncaught } = counting()
    const told: unknown[] = []
    config.onUnhandledError = error => told.push(error)
    const events: number[] = []
    asObservable(ref)
      .pipe(take(3))
      .subscribe(event => {
        events.push(event)
        throw new Error(`no ${event}`)
      })
    await settle()
    while (told.length < 3) await settle()
    expect(events).toEqual([1, 2, 3])
    expect(told.map(error => (error as Error).message)).toEqual(['no 1', 'no 2', 'no 3'])
    expect(uncaught).toEqual([])
  })

  it('INV-22 leaves nothing behind: no stage, no listener on the signal', async () => {
    const { ref, runtime } = counting()
    let listeners = 0
    const signal = new AbortController().signal
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--
      removeEventListener.apply(signal, args)
    }
    for (let round = 0; round < 50; round++) {
      const subscription = asObservable(ref, { signal, maxDemand: 1 }).subscribe()
      if (round % 2 === 0) await settle()
      subscription.unsubscribe()
    }
    await settle()
    expect(listeners).toBe(0)
    expect(runtime.topology().stages).toHaveLength(1)
  })

  it('F60 a signal is an error with its reason, and cancels', async () => {
    const { ref, runtime } = counting()
    const stopping = new AbortController()
    const errors: unknown[] = []
    const subscription = asObservable(ref, { signal: stopping.signal, maxDemand: 1 }).subscribe({
      next: event => event === 5 && stopping.abort('enough'),
      error: error => errors.push(error),
    })
    await settle()
    expect(errors).toEqual(['enough'])
    expect(subscription.closed).toBe(true)
    expect(runtime.topology().edges).toEqual([])
  })

  it('INV-13 a stage that is gone, and one that is killed, are STOPPED', async () => {
    const { ref } = counting()
    const errors: unknown[] = []
    asObservable(ref, { maxDemand: 1 })
      .pipe(take(1e6))
      .subscribe({ error: error => errors.push(error) })
    await ref.kill()
    await settle()
    asObservable(ref).subscribe({ error: error => errors.push(error) })
    await settle()
    expect(errors).toMatchObject([{ code: 'STOPPED' }, { code: 'STOPPED', reason: { type: 'noproc' } }])
  })

  it('INV-21 the stop of the runtime completes', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(probeProducer<number>().definition, { runtime })
    let completed = false
    asObservable(ref).subscribe({ complete: () => (completed = true) })
    await settle()
    await runtime.stop()
    expect(completed).toBe(true)
  })

  it('BAD-1 to BAD-28 refuses options and stages at the call', () => {
    const { ref, runtime } = counting()
    for (const bad of [{ maxDemand: 0 }, { maxDemand: 2, minDemand: 2 }, { cancel: 'transient' }, { signal: 1 }, { to: ref }, 5])
      expect(() => asObservable(ref, bad as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    expect(() => asObservable({} as never)).toThrow(expect.objectContaining({ code: 'NOT_A_STAGE' }))
    const sink = start(
      consumer(() => ({ handleEvents() {} })),
      { runtime },
    )
    expect(() => asObservable(sink as never)).toThrow(expect.objectContaining({ code: 'NOT_A_PRODUCER' }))
  })
})

describe('toObserver', () => {
  it('F60 an observer that is closed stops the stage, and is not told of that', async () => {
    const { ref, runtime } = counting()
    const signals: unknown[] = []
    const observer = {
      closed: false,
      next(event: number) {
        signals.push(event)
        observer.closed = event === 3
      },
      error: (error: unknown) => signals.push(error),
      complete: () => signals.push('complete'),
    }
    const stage = start(toObserver(observer), { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
    expect((await stage.exited).type).toBe('normal')
    expect(signals).toEqual([1, 2, 3])
  })

  it('F12 an observer that throws fails the stage with that error, and is told nothing more', async () => {
    const { ref, runtime } = counting()
    const error = new Error('boom')
    const signals: unknown[] = []
    const observer = {
      next(event: number) {
        signals.push(event)
        if (event === 2) throw error
      },
      error: () => signals.push('error'),
      complete: () => signals.push('complete'),
    }
    const stage = start(toObserver(observer), { runtime, subscribeTo: [ref] })
    expect(await stage.exited).toEqual({ type: 'error', error })
    expect(signals).toEqual([1, 2])
  })

  it('F60 an observer may have only some of the methods', async () => {
    const { runtime } = recordedRuntime()
    let completed = 0
    const sources = [1, 2].map(() => start(fromIterable([1]), { runtime }))
    const ends = sources.map(to => start(toObserver({ complete: () => completed++ }), { runtime, subscribeTo: [to] }).exited)
    await Promise.all(ends)
    expect(completed).toBe(2)
  })

  it('INV-13 a kill is an error STOPPED; one that throws at that is told of in the log', async () => {
    const { runtime, log } = recordedRuntime()
    const errors: unknown[] = []
    const stage = start(toObserver({ error: error => errors.push(error) }), { runtime })
    stage.monitor(() => {})
    await settle()
    await stage.kill()
    expect(errors).toMatchObject([{ code: 'STOPPED', reason: { type: 'killed' } }])
    const throwing = start(
      toObserver({
        error() {
          throw new Error('again')
        },
      }),
      { runtime },
    )
    throwing.monitor(() => {})
    await settle()
    await throwing.kill()
    expect(log.filter(line => line.startsWith('toObserver'))).toHaveLength(1)
  })

  it('GS-L1 a function makes an observer for each start', async () => {
    const { runtime } = recordedRuntime()
    const made: Subject<number>[] = []
    const Definition = toObserver(() => {
      made.push(new Subject<number>())
      return made.at(-1) as Subject<number>
    })
    await start(Definition, { runtime }).ready
    await start(Definition, { runtime }).ready
    expect(made).toHaveLength(2)
  })

  it('BAD-62 refuses what is no observer', async () => {
    for (const bad of [null, undefined, 42, 'text', {}, { next: 1 }])
      expect(() => toObserver(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SINK' }))
    const { runtime } = recordedRuntime()
    await expect(
      start(
        toObserver(() => ({}) as never),
        { runtime },
      ).ready,
    ).rejects.toMatchObject({ code: 'BAD_SINK' })
  })

  it('F50 INV-23 an observer takes its time: maxDemand events are under way', async () => {
    const { ref, runtime, taken } = counting()
    let seen = 0
    const stage = start(
      toObserver({
        next() {
          seen++
          expect(taken()).toBeLessThanOrEqual(seen + 5)
          if (seen === 50) void stage.stop()
        },
      }),
      { runtime, subscribeTo: [{ to: ref, maxDemand: 5, cancel: 'temporary' }] },
    )
    await stage.exited
    expect(seen).toBeGreaterThanOrEqual(50)
    expect(taken()).toBeLessThanOrEqual(seen + 5)
  })
})
