import { consumer, createRuntime, producer, start } from '../../src/index.ts'
import { describe, expect, it } from 'vitest'

/** How deep the stack is here. */
function stackDepth(): number {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = Infinity
  const depth = (new Error('depth').stack ?? '').split('\n').length - 1
  Error.stackTraceLimit = before
  return depth
}

describe('recursion', () => {
  it(
    'INV-16 stays below 50 frames over 1,000,000 events, each asked for inside the handler of the one before',
    { timeout: 60_000 },
    async () => {
      const total = 1_000_000
      const Counter = producer(() => {
        let next = 0
        return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
      })
      let deepest = 0
      let asking = false
      let userCodeInsideAsk = false
      const Sink = consumer((_: void, ctx) => ({
        handleSubscribe(from) {
          from.ask(1)
          return 'manual'
        },
        handleEvents([event = 0]: readonly number[], from) {
          userCodeInsideAsk ||= asking
          if (event % 10_000 === 0) deepest = Math.max(deepest, stackDepth())
          asking = true
          from.ask(1)
          asking = false
          if (event === total) ctx.stop()
        },
      }))
      const runtime = createRuntime()
      const source = start(Counter, { runtime })
      await start(Sink, { runtime, subscribeTo: [source] }).done
      await source.stop()
      expect(deepest).toBeGreaterThan(0)
      expect(deepest).toBeLessThanOrEqual(50)
      expect(userCodeInsideAsk).toBe(false)
    },
  )
})
