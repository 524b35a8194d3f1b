import { type ConsumerDefinition, type ProducerRef, start } from '@genstage/core'
import { buffering, forEach, polling } from '@genstage/stages'
import { adapterContract, type SinkAdapter, type SourceAdapter } from '@genstage/testing'
import { describe, expect, it } from 'vitest'

/** A sink whose function keeps what it gets, and can be held up. */
function sink(name: string, make: (fn: (event: unknown) => unknown) => ConsumerDefinition<unknown>): SinkAdapter {
  return {
    kind: 'sink',
    name,
    open(to: ProducerRef<unknown>, { runtime, maxDemand, signal }) {
      const received: unknown[] = []
      let gate: Promise<void> | undefined
      let open = (): void => {}
      const definition = make(event => {
        const take = (): void => void received.push(event)
        return gate === undefined ? take() : gate.then(take)
      })
      const ref = start(definition, {
        runtime,
        ...(signal === undefined ? {} : { signal }),
        subscribeTo: [{ to, maxDemand, cancel: 'permanent' }],
      })
      return {
        ref,
        received: () => received,
        pause: () => {
          gate = new Promise(resolve => {
            open = resolve
          })
        },
        resume: () => {
          gate = undefined
          open()
        },
        close: () => void ref.stop(),
        finished: ref.exited.then(reason => {
          if (reason.type === 'error') return reason.error
          return reason.type === 'normal' || reason.type === 'shutdown' ? undefined : reason
        }),
      }
    },
  }
}

/** A source that is fed by messages; only the parts of the contract that it can know of. */
const inbox: SourceAdapter = {
  kind: 'source',
  name: 'buffering',
  open(runtime, signal) {
    let ended = 0
    const ref = start(buffering<unknown>(), { runtime, ...(signal === undefined ? {} : { signal }) })
    ref.monitor(() => void ended++)
    return {
      ref,
      push: events => ref.cast(events),
      end: () => void ref.stop('normal', { drain: true }),
      fail: error => void ref.call([]).then(() => ref.stop({ type: 'error', error })),
      released: () => ended,
    }
  },
}

/** A function that is polled, and answers from a list. */
const polled: SourceAdapter = {
  kind: 'source',
  name: 'polling',
  open(runtime, signal) {
    const waiting: unknown[] = []
    let taken = 0
    let failure: Error | undefined
    let ended = 0
    const fetch = async (): Promise<unknown> => {
      if (waiting.length === 0 && failure !== undefined) throw failure
      if (waiting.length > 0) taken++
      return waiting.shift()
    }
    const ref = start(polling(fetch, { everyMs: 1 }), { runtime, ...(signal === undefined ? {} : { signal }) })
    ref.monitor(() => void ended++)
    return {
      ref: ref as ProducerRef<unknown>,
      push: events => {
        waiting.push(...events)
        ref.cast('poll')
      },
      end: () => whenEmpty(waiting, () => ref.stop('normal', { drain: true })),
      fail: error => {
        failure = error
        ref.cast('poll')
      },
      taken: () => taken,
      released: () => ended,
    }
  },
}

/** Polling knows no end: it is stopped when everything has been fetched. */
function whenEmpty(waiting: readonly unknown[], stop: () => unknown): void {
  if (waiting.length === 0) stop()
  else setTimeout(() => whenEmpty(waiting, stop), 1)
}

const cases = [
  ...adapterContract(
    sink('forEach', fn => forEach(fn)),
    { takesSignal: true },
  ),
  ...adapterContract(
    sink('forEach, three at a time', fn => forEach(fn, { concurrency: 3 })),
    { takesSignal: true },
  ),
  ...adapterContract(inbox, { lookAhead: Infinity, takesSignal: true }),
  ...adapterContract(polled, {
    takesSignal: true,
    keepsIdentity: false,
    carries: event => event !== undefined && event !== null,
  }),
]

describe('the adapter contract', () => {
  it.each(cases.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })

  it('has all cases for each of them', () => {
    expect(cases.length).toBeGreaterThan(45)
  })
})
