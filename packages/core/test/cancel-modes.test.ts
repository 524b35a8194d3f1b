import { type CancelMode, type ProducerRef, type Reason, shutdown, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { type Item, type ItemMessages, type Seen, sink, source } from './support/stages.ts'
import { settle } from './support/turns.ts'

const boom = new Error('boom')

type Producer = ProducerRef<Item, ItemMessages>

/** How a producer ends, and by which modes a consumer ends with it. */
interface End {
  readonly name: string
  readonly reason: Reason
  readonly endsIn: readonly CancelMode[]
  end(producer: Producer): Promise<unknown>
}

const ends: readonly End[] = [
  { name: 'normal', reason: { type: 'normal' }, endsIn: ['permanent'], end: producer => producer.stop() },
  { name: 'shutdown', reason: shutdown(), endsIn: ['permanent'], end: producer => producer.stop('shutdown') },
  {
    name: 'shutdown, detail',
    reason: shutdown('detail'),
    endsIn: ['permanent'],
    end: producer => producer.stop(shutdown('detail')),
  },
  { name: 'error', reason: { type: 'error', error: boom }, endsIn: ['permanent', 'transient'], end: fail },
  { name: 'killed', reason: { type: 'killed' }, endsIn: ['permanent', 'transient'], end: producer => producer.kill() },
  { name: 'noproc', reason: { type: 'noproc' }, endsIn: ['permanent', 'transient'], end: producer => producer.stop() },
]

function fail(producer: Producer): Promise<Reason> {
  producer.cast(['boom'])
  return producer.exited
}

const modes: readonly CancelMode[] = ['permanent', 'transient', 'temporary']

const cells = modes.flatMap(cancel =>
  ends.map(end => [end.endsIn.includes(cancel) ? 'ends with it' : 'lives on', cancel, end.name, end] as const),
)

describe('a consumer whose producer ends', () => {
  it.each(cells)('U22 GS-K5 GS-K7 %s: %s, %s', async (outcome, cancel, _name, { reason, end }) => {
    const { runtime, takeUncaught } = recordedRuntime()
    const seen: Seen = []
    const failing = source([], () => ({
      handleCast() {
        throw boom
      },
    }))
    const producer = start(failing, { runtime })
    if (reason.type === 'noproc') await end(producer)
    const stage = start(sink(seen), { runtime })
    const subscription = stage.subscribe({ to: producer, cancel })
    await settle(runtime)
    if (reason.type !== 'noproc') await end(producer)
    await settle(runtime)

    const cancelled = ['cancelled', 'down', reason, subscription.id]
    const follows = outcome === 'ends with it'
    expect(seen.slice(1)).toEqual(follows ? [cancelled, ['terminated', reason]] : [cancelled])
    await expect(subscription.ended).resolves.toEqual({ kind: 'down', reason })
    // A failure is told where it began: where nobody is, that is with the consumer
    const told = follows && reason.type === 'noproc' ? [stage.id] : []
    expect((await takeUncaught()).map(error => error.stage)).toEqual(told)
    if (follows) await expect(stage.exited).resolves.toEqual(reason)
    else await expect(stage.call([])).resolves.toBe('ok')
  })
})
