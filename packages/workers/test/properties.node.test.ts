/** However events are cut, encoded and handled, what comes out is what went in, in order, once; and errors come over as they were. */
import { fromIterable, GenStageError, type Reason, start } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reasonFrom, thrownFrom, wireError, wireReason } from '../src/wire.ts'
import { allOf, recordedRuntime, threaded } from './support/threads.ts'

const seed = 20_261_122

describe('any events', () => {
  it('INV-5 INV-6 INV-26 come back from a thread as they went', { timeout: 120_000 }, async () => {
    const event = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.constantFrom(null, false),
      fc.record({ id: fc.nat(), tags: fc.array(fc.string()) }),
    )
    const demands = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.nat())
      .map(([maxDemand, min]) => ({ maxDemand, minDemand: min % maxDemand }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 60 }),
        demands,
        fc.constantFrom('clone' as const, 'json' as const),
        fc.boolean(),
        async (events, demand, encoding, later) => {
          const { runtime, uncaught } = recordedRuntime()
          const source = start(fromIterable(events), { runtime })
          const Echo = later ? threaded('EchoLater', { encoding }) : threaded('Echo', { encoding })
          const stage = start(Echo, { runtime, subscribeTo: [{ to: source, ...demand }] })
          expect(await allOf(stage.stream({ cancel: 'transient' }))).toEqual(events)
          expect([(await stage.exited).type, uncaught]).toEqual(['normal', []])
        },
      ),
      { seed, numRuns: 40 },
    )
  })
})

describe('any error', () => {
  const message = fc.string()
  const { error } = fc.letrec<{ error: unknown }>(tie => ({
    error: fc.oneof(
      { depthSize: 'small' },
      fc
        .record({
          made: fc.constantFrom(Error, TypeError, RangeError, SyntaxError),
          message,
          name: fc.string(),
          code: fc.string(),
        })
        .map(({ made: Made, message: text, name, code }) => Object.assign(new Made(text), { name, code })),
      fc.anything(),
      fc.record({ message, cause: tie('error') }).map(({ message: text, cause }) => new Error(text, { cause })),
      fc
        .record({ message, cause: tie('error') })
        .map(({ message: text, cause }) => new GenStageError('TIMEOUT', text, { stage: 'a stage', cause })),
      fc
        .record({ message, errors: fc.array(tie('error'), { maxLength: 3 }) })
        .map(({ message: text, errors }) => new AggregateError(errors, text)),
      message.map(text => new DOMException(text, 'AbortError')),
    ),
  }))

  /** What a program sees of an error. */
  function seen(thrown: unknown): unknown {
    if (!(thrown instanceof Error)) return 'no error'
    const { name, message: text, stack, constructor, cause } = thrown
    const code: unknown = 'code' in thrown ? thrown.code : undefined
    const errors: unknown = thrown instanceof AggregateError ? thrown.errors.map(seen) : undefined
    return { name, text, stack, code, errors, constructor, cause: cause === undefined ? undefined : seen(cause) }
  }

  it('INV-17 is seen on the other side as it was', () => {
    fc.assert(
      fc.property(error, thrown => {
        const wire = structuredClone(wireError(thrown))
        expect(seen(thrownFrom(wire))).toEqual(seen(thrown))
      }),
      { seed, numRuns: 500 },
    )
  })

  it('and any reason', () => {
    const reason: fc.Arbitrary<Reason> = fc.oneof(
      error.map(each => ({ type: 'error' as const, error: each })),
      fc.constantFrom({ type: 'normal' }, { type: 'killed' }, { type: 'noproc' }, { type: 'noconnection' }),
      fc.string().map(detail => ({ type: 'shutdown' as const, detail })),
      fc.nat().map(value => ({ type: 'other' as const, value })),
    )
    fc.assert(
      fc.property(reason, given => {
        const back = reasonFrom(structuredClone(wireReason(given)))
        if (given.type === 'error') expect(back.type).toBe('error')
        else expect(back).toEqual(given)
      }),
      { seed, numRuns: 200 },
    )
  })

  it('F12 also one that throws when it is looked at', () => {
    const hostile = new Error('hostile')
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('do not look')
      },
    })
    expect(thrownFrom(wireError(hostile))).toBe('an error that cannot be read')
  })
})
