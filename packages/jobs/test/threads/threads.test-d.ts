/** What the compiler knows of a handler on a thread: all that it knows of the function in its module. */
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { type JobContext, type Kind, kind, type Outcome } from '../../src/index.ts'
import { inThread, type ThreadContext, threadPool } from '../../src/threads/index.ts'
import type double from './functions.ts'
import type { decide, nothing } from './functions.ts'

const module = new URL('file:///functions.js')

describe('inThread', () => {
  it('takes args and result from the function', () => {
    expectTypeOf(inThread<typeof double>(module)).toEqualTypeOf<(args: number, job: JobContext) => Promise<number>>()
    expectTypeOf(kind('double', inThread<typeof double>(module))).toEqualTypeOf<Kind<number, number>>()
    expectTypeOf(kind('double', { queue: 'heavy', handler: inThread<typeof double>(module) })).toEqualTypeOf<
      Kind<number, number>
    >()
    expectTypeOf(kind('nothing', inThread<typeof nothing>(module))).toEqualTypeOf<Kind<void, void>>()
  })

  it('leaves outcomes and promises out of the result', () => {
    expectTypeOf(inThread<typeof decide>(module)).returns.toEqualTypeOf<Promise<Outcome | string>>()
    expectTypeOf(kind('decide', inThread<typeof decide>(module))).toEqualTypeOf<Kind<string, string>>()
    type Later = (args: { readonly a: 1 }, job: ThreadContext) => Promise<'done'>
    expectTypeOf(kind('later', inThread<Later>(module))).toEqualTypeOf<Kind<{ readonly a: 1 }, 'done'>>()
  })

  it('fits the schemas of a kind', () => {
    const args = z.object({ width: z.coerce.number() })
    kind('resize', { args, handler: inThread<(args: { width: number }) => string>(module) })
    // @ts-expect-error -- the schema makes no text of it
    kind('resize', { args, handler: inThread<(args: { width: string }) => string>(module) })
    // @ts-expect-error -- the schema takes no text
    kind('resize', { result: z.number(), handler: inThread<(args: string) => string>(module) })
  })

  it('takes functions that handle jobs, on a thread or not', () => {
    const handler = (args: string, job: ThreadContext): number => args.length + job.attempt
    kind('length', handler)
    inThread<typeof handler>(module, { pool: threadPool(), killAfterMs: 1 })
    // @ts-expect-error -- neither logger nor client can cross
    inThread<(args: string, job: JobContext) => number>(module)
    // @ts-expect-error -- a number
    inThread<number>(module)
    // @ts-expect-error -- an unknown option
    inThread<typeof handler>(module, { threads: 2 })
  })
})
