import { type GenStageError, start } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import { EMPTY, NEVER, of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { fromObservable, type FromObservableOptions } from '../src/index.ts'
import { recordedRuntime, settle } from './support/runtime.ts'
import { watchedSubject } from './support/watched-subject.ts'

/** A source of ten events of which nobody has asked for any, then a consumer that takes all there are. */
async function overflowing(options: FromObservableOptions, ...batches: readonly (readonly number[])[]) {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const { subject, watched, releases } = watchedSubject<number>()
  const ref = start(fromObservable(watched, options), { runtime })
  let failure: unknown
  ref.monitor(({ reason }) => (failure = reason.type === 'error' ? reason.error : undefined))
  await settle()
  for (const batch of batches) {
    for (const event of batch) subject.next(event)
    await settle()
  }
  const probe = probeConsumer<number>()
  start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
  await settle()
  return { ...recorded, events: probe.events, failure: () => failure as GenStageError | undefined, releases, subject }
}

const [one, two] = [
  [1, 2, 3, 4, 5, 6],
  [7, 8, 9, 10],
]

describe('fromObservable: overflow', () => {
  it.each([[[...one, ...two]], [one, two]].map(batches => [batches]))(
    'F51 dropOldest keeps the newest, and reports exactly the others: %j',
    async batches => {
      const { events, discarded } = await overflowing({ bufferSize: 4 }, ...batches)
      expect(events).toEqual([7, 8, 9, 10])
      expect(discarded.flatMap(([, lost]) => lost)).toEqual([1, 2, 3, 4, 5, 6])
      expect(new Set(discarded.map(([reason]) => reason))).toEqual(new Set(['source_overflow']))
    },
  )

  it.each([[[...one, ...two]], [one, two]].map(batches => [batches]))(
    'F51 dropNewest keeps the oldest, and reports exactly the others: %j',
    async batches => {
      const { events, discarded } = await overflowing({ bufferSize: 4, overflow: 'dropNewest' }, ...batches)
      expect(events).toEqual([1, 2, 3, 4])
      expect(discarded.flatMap(([, lost]) => lost)).toEqual([5, 6, 7, 8, 9, 10])
    },
  )

  it('F51 error gives what waits, then fails with SOURCE_OVERFLOW, unsubscribed', async () => {
    const { events, discarded, failure, releases } = await overflowing({ bufferSize: 4, overflow: 'error' }, one, two)
    expect(events).toEqual([1, 2, 3, 4])
    expect(failure()).toMatchObject({ code: 'SOURCE_OVERFLOW', message: expect.stringMatching(/^fromObservable: /) })
    expect(discarded.flatMap(([, lost]) => lost)[0]).toBe(5)
    expect(releases()).toBe(1)
  })

  it('F51 a buffer without end loses nothing', async () => {
    const { events, discarded } = await overflowing({ bufferSize: Infinity }, one, two)
    expect(events).toEqual([...one, ...two])
    expect(discarded).toEqual([])
  })
})

describe('fromObservable', () => {
  it('F60 unsubscribes once, when the stage ends, and not from what has completed', async () => {
    const { runtime } = recordedRuntime()
    const { watched, releases, subscribed } = watchedSubject<number>()
    const ref = start(fromObservable(watched), { runtime })
    await settle()
    expect([subscribed(), releases()]).toEqual([1, 0])
    await ref.stop()
    await ref.stop()
    expect([subscribed(), releases()]).toEqual([1, 1])
  })

  it('F60 an error is the reason of the end, the very object', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('boom')
    const ref = start(
      fromObservable(() => throwError(() => error)),
      { runtime },
    )
    expect(await ref.exited).toEqual({ type: 'error', error })
  })

  it('F60 may have completed when it is subscribed to', async () => {
    const { runtime } = recordedRuntime()
    for (const observable of [EMPTY, of(1, 2)]) {
      const probe = probeConsumer<number>()
      const ref = start(fromObservable<number>(observable), { runtime })
      const sink = start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
      expect((await ref.exited).type).toBe('normal')
      await settle()
      expect(probe.events).toEqual(observable === EMPTY ? [] : [1, 2])
      await sink.stop()
    }
  })

  it('GS-L1 a function makes a new observable for each start', async () => {
    const { runtime } = recordedRuntime()
    let made = 0
    const Source = fromObservable(() => {
      made++
      return NEVER
    })
    await start(Source, { runtime }).ready
    await start(Source, { runtime }).ready
    expect(made).toBe(2)
    await runtime.stop()
  })

  it('BAD-66 refuses what is no observable, at the call or at the start', async () => {
    const { runtime } = recordedRuntime()
    const noObservable = [null, undefined, 1, 'text', {}, [], { subscribe: 1 }, { [Symbol.iterator]() {} }]
    for (const bad of noObservable)
      expect(() => fromObservable(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SOURCE' }))
    for (const bad of [null, {}, { '@@observable': () => ({}) }, { '@@observable': () => null }]) {
      const ref = start(
        fromObservable(() => bad as never),
        { runtime },
      )
      await expect(ref.ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
    }
  })

  it('BAD-13 to BAD-19 refuses options at the call', () => {
    for (const bad of [{ bufferSize: -1 }, { overflow: 'dropAll' }, { onCancel: 1 }, { bufferSise: 1 }])
      expect(() => fromObservable(EMPTY, bad as never)).toThrow(
        expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(/^fromObservable: /) }),
      )
  })
})

describe('fromObservable: what is taken for an observable', () => {
  async function eventsOf(source: unknown): Promise<readonly unknown[]> {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<unknown>()
    const ref = start(fromObservable(source as never), { runtime })
    start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
    await settle()
    await runtime.stop()
    return probe.events
  }
  type Target = { next(event: number): void; complete(): void }
  const gives = (observer: Target): void => {
    observer.next(1)
    observer.next(2)
    observer.complete()
  }

  it('BAD-66 anything with subscribe, whatever that answers', async () => {
    let released = 0
    const answers = [undefined, () => released++, { unsubscribe: () => released++ }]
    for (const answer of answers) {
      const subscribe = (observer: Target): unknown => {
        gives(observer)
        return answer
      }
      expect(await eventsOf({ subscribe })).toEqual([1, 2])
    }
    expect(released).toBe(2)
  })

  it('BAD-66 anything that answers to Symbol.observable, before its own subscribe', async () => {
    const key = (typeof Symbol.observable === 'symbol' ? Symbol.observable : '@@observable') as string
    const subscribe = (): never => {
      throw new Error('a store: this takes a listener')
    }
    expect(await eventsOf({ subscribe, [key]: () => ({ subscribe: gives }) })).toEqual([1, 2])
    expect(await eventsOf({ '@@observable': () => ({ subscribe: gives }) })).toEqual([1, 2])
  })

  it('INV-13 events after the end are no events', async () => {
    const subscribe = (observer: Target): void => {
      gives(observer)
      observer.next(3)
      observer.complete()
    }
    expect(await eventsOf({ subscribe })).toEqual([1, 2])
  })

  it('F59 an observable that throws from subscribe fails the start', async () => {
    const { runtime } = recordedRuntime()
    const broken = { subscribe: () => { throw new Error('broken') } } // prettier-ignore
    const ref = start(fromObservable(broken), { runtime })
    await expect(ref.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', cause: { message: 'broken' } })
  })

  it('F60 a subject that goes on after the stage has ended is heard by nobody', async () => {
    const { runtime, uncaught } = recordedRuntime()
    const subject = new Subject<number>()
    const ref = start(fromObservable(subject), { runtime })
    await settle()
    expect(subject.observed).toBe(true)
    await ref.kill()
    expect(subject.observed).toBe(false)
    subject.next(1)
    await settle()
    expect(uncaught).toEqual([])
  })
})
