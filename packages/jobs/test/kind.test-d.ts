/** What kinds infer and what they refuse. Only type-checked: nothing here runs. */
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { JobClient } from '../src/job-client.ts'
import type { JobContext } from '../src/job-context.ts'
import { kind, type Kind } from '../src/kind.ts'
import { cancel, discard, type Outcome, retry, snooze } from '../src/outcome.ts'

interface Mail {
  readonly to: string
}

declare const client: JobClient

describe('a kind with a handler', () => {
  it('takes its types from it', () => {
    expectTypeOf(kind('mail', (args: Mail) => args.to.length)).toEqualTypeOf<Kind<Mail, number>>()
    expectTypeOf(kind('mail', async (args: Mail) => args.to)).toEqualTypeOf<Kind<Mail, string>>()
    expectTypeOf(kind('mail', async (_: Mail) => {})).toEqualTypeOf<Kind<Mail, void>>()
  })

  it('gives the handler its context', () => {
    const withContext = kind('mail', async (args: Mail, job) => {
      expectTypeOf(job).toEqualTypeOf<JobContext>()
      return args.to
    })
    expectTypeOf(withContext).toEqualTypeOf<Kind<Mail, string>>()
  })

  it('takes no args where the handler takes none', () => {
    expectTypeOf(kind('tick', () => 1)).toEqualTypeOf<Kind<void, number>>()
    expectTypeOf(kind('tick', { queue: 'clock', handler: () => 1 })).toEqualTypeOf<Kind<void, number>>()
  })

  it('leaves outcomes out of the result', () => {
    const fetchPage = kind('page', async (args: { readonly url: string }) => {
      if (args.url === '') return discard('no url')
      if (args.url === 'later') return snooze(1000)
      if (args.url === 'gone') return cancel('gone')
      return args.url === 'busy' ? retry({ inMs: 10 }) : { status: 200 }
    })
    expectTypeOf(fetchPage).toEqualTypeOf<Kind<{ readonly url: string }, { status: number }>>()
  })

  it('takes options beside the handler', () => {
    const resize = kind('resize', {
      maxAttempts: 5,
      handler: async (args: { readonly width: number }, job) => job.attempt + args.width,
    })
    expectTypeOf(resize).toEqualTypeOf<Kind<{ readonly width: number }, number>>()
    // @ts-expect-error misspelt
    kind('resize', { maxAttempt: 5, handler: () => 1 })
    // @ts-expect-error a back-off is a function
    kind('resize', { backoff: 'linear', handler: () => 1 })
  })
})

describe('a kind with schemas', () => {
  it('takes its args from them: what is given to enqueue, what the handler gets', () => {
    const zod = kind('z', {
      args: z.object({ at: z.string().transform(text => new Date(text)), n: z.number().default(1) }),
      handler: async (args, job) => {
        expectTypeOf(args).toEqualTypeOf<{ at: Date; n: number }>()
        expectTypeOf(job).toEqualTypeOf<JobContext>()
        return args.n
      },
    })
    expectTypeOf(zod).toEqualTypeOf<Kind<{ at: string; n?: number | undefined }, number>>()

    const valibot = kind('v', {
      args: v.object({ n: v.pipe(v.string(), v.transform(Number)) }),
      handler: args => {
        expectTypeOf(args.n).toBeNumber()
      },
    })
    expectTypeOf(valibot).toEqualTypeOf<Kind<{ n: string }, void>>()

    const arktype = kind('a', { args: type({ to: 'string.email' }), handler: args => args.to })
    expectTypeOf(arktype).toEqualTypeOf<Kind<{ to: string }, string>>()
  })

  it('holds the handler to the schema of the result', () => {
    const counted = kind('z', { args: z.string(), result: z.object({ n: z.number() }), handler: args => ({ n: args.length }) })
    expectTypeOf(counted).toEqualTypeOf<Kind<string, { n: number }>>()
    const withOutcome = kind('z', {
      result: z.object({ n: z.number().default(0) }),
      handler: async (args: string) => (args === '' ? discard('empty') : {}),
    })
    expectTypeOf(withOutcome).toEqualTypeOf<Kind<string, { n: number }>>()
    // @ts-expect-error text is no number
    kind('z', { args: z.string(), result: z.number(), handler: args => args })
    // @ts-expect-error text is no number
    kind('z', { result: z.number(), handler: (args: string) => args })
  })
})

describe('a declared kind', () => {
  it('has the types that are written, or those of its schemas', () => {
    const written = kind<Mail, number>('mail')
    expectTypeOf(written).toExtend<Kind<Mail, number>>()
    expectTypeOf(kind('tick')).toExtend<Kind<void>>()
    const schemas = kind('mail', { args: z.object({ n: z.string().transform(Number) }), result: z.number() })
    expectTypeOf(schemas).toExtend<Kind<{ n: string }, number>>()
    const bare = kind('mail', { args: z.object({ n: z.string().transform(Number) }) })
    expectTypeOf(bare.handledBy(args => args.n)).toEqualTypeOf<Kind<{ n: string }, unknown>>()
  })

  it('holds the handler that it is given later to them', () => {
    const declared = kind<Mail, number>('mail', { maxAttempts: 1 })
    expectTypeOf(declared.handledBy(async (args, job) => args.to.length + job.attempt)).toEqualTypeOf<Kind<Mail, number>>()
    declared.handledBy(args => (args.to === '' ? discard('nobody') : 1))
    // @ts-expect-error text is no number
    declared.handledBy(args => args.to)
    // @ts-expect-error there is no such thing in its args
    declared.handledBy(args => args.from)
    const schema = kind('z', { args: z.object({ n: z.string().transform(Number) }), result: z.number() })
    schema.handledBy(args => args.n)
    // @ts-expect-error a handler is given once
    schema.handledBy(args => args.n).handledBy(() => 1)
  })
})

describe('a kind whose types are written out', () => {
  interface Sent {
    readonly ok: boolean
  }

  it('is of the result that is written, however its handler returns it', () => {
    expectTypeOf(kind<Mail, Sent>('mail', { handler: async () => ({ ok: true }) })).toEqualTypeOf<Kind<Mail, Sent>>()
    expectTypeOf(kind<Mail, Sent>('mail', { handler: () => ({ ok: true }) })).toEqualTypeOf<Kind<Mail, Sent>>()
    expectTypeOf(kind<Mail, Sent>('mail', async () => ({ ok: true }))).toEqualTypeOf<Kind<Mail, Sent>>()
    expectTypeOf(kind<Mail, Sent>('mail', () => ({ ok: true }))).toEqualTypeOf<Kind<Mail, Sent>>()
    expectTypeOf(kind<Mail, void>('mail', async () => {})).toEqualTypeOf<Kind<Mail, void>>()
    expectTypeOf(kind<void, 'sent'>('mail', () => 'sent')).toEqualTypeOf<Kind<void, 'sent'>>()
    expectTypeOf(kind<void, { at: 'home' | 'work' }>('mail', async () => ({ at: 'home' }))).toEqualTypeOf<
      Kind<void, { at: 'home' | 'work' }>
    >()
    expectTypeOf(kind<Mail, number | undefined>('mail', async () => undefined)).toEqualTypeOf<Kind<Mail, number | undefined>>()
    expectTypeOf(kind<Mail, readonly [string, number]>('mail', async () => ['a', 1])).toEqualTypeOf<
      Kind<Mail, readonly [string, number]>
    >()
  })

  it('may have outcomes, options and a schema of the result', () => {
    const mail = kind<Mail, Sent>('mail', {
      maxAttempts: 5,
      result: z.object({ ok: z.boolean() }),
      handler: async (args, job) => {
        expectTypeOf(args).toEqualTypeOf<Mail>()
        expectTypeOf(job).toEqualTypeOf<JobContext>()
        if (job.attempt > 1) return discard('too late')
        return args.to === '' ? retry({ inMs: 5 }) : { ok: true }
      },
    })
    expectTypeOf(mail).toEqualTypeOf<Kind<Mail, Sent>>()
    const plain = kind<Mail, Sent>('mail', (args, job) => {
      expectTypeOf(args).toEqualTypeOf<Mail>()
      return job.attempt > 1 ? snooze(5) : { ok: args.to !== '' }
    })
    expectTypeOf(plain).toEqualTypeOf<Kind<Mail, Sent>>()
  })

  it('takes nothing else of its handler', () => {
    // @ts-expect-error text is no number
    kind<Mail, number>('mail', async args => args.to)
    // @ts-expect-error text is no number
    kind<Mail, number>('mail', { handler: async args => args.to })
    // @ts-expect-error other args than those that are written
    kind<Mail, number>('mail', async (args: { readonly from: string }) => args.from.length)
    // @ts-expect-error a schema of something else
    kind<Mail, number>('mail', { result: z.string(), handler: async () => 1 })
  })

  it('leaves what is not written to be inferred', () => {
    expectTypeOf(kind('mail', async () => ({ type: 'retry' }))).toEqualTypeOf<Kind<void, { type: string }>>()
    expectTypeOf(kind('mail', async () => discard('never'))).toEqualTypeOf<Kind<void, never>>()
    expectTypeOf(kind<Mail>('mail', async args => args.to)).toEqualTypeOf<Kind<Mail, unknown>>()
  })
})

describe('kinds', () => {
  it('of whatever types fit together in a list', () => {
    const declared = kind<Mail, number>('mail')
    const kinds: readonly Kind[] = [declared, kind('tick', () => 1), kind('z', { args: z.string(), handler: args => args })]
    expectTypeOf(kinds).items.toEqualTypeOf<Kind>()
  })

  it('take args that say more, and give results that say less', () => {
    const mail = kind<Mail, 'sent'>('mail')
    expectTypeOf(mail).toExtend<Kind<Mail & { readonly cc: string }, string>>()
    expectTypeOf(mail).not.toExtend<Kind<object, string>>()
    expectTypeOf(mail).not.toExtend<Kind<Mail, number>>()
  })

  it('have outcomes that are told apart', () => {
    expectTypeOf<Outcome['type']>().toEqualTypeOf<'retry' | 'snooze' | 'discard' | 'cancel'>()
    // @ts-expect-error what looks like an outcome is none
    const forged: Outcome = { type: 'snooze', inMs: 1 }
    void forged
  })
})

describe('code that is generic in its kind', () => {
  it('enqueues with the args and gets the result of the kind', () => {
    const run = async <Args, Result>(of: Kind<Args, Result>, args: Args): Promise<Result> =>
      (await client.enqueue(of, args)).result()
    expectTypeOf(run(kind<Mail, number>('mail'), { to: 'ada' })).resolves.toEqualTypeOf<number>()
    // @ts-expect-error there is no such thing in its args
    void run(kind<Mail, number>('mail'), { from: 'ada' })
  })
})

describe('find and list', () => {
  it('have the types of the kind where one is given', async () => {
    const mail = kind<Mail, number>('mail')
    expectTypeOf((await client.find(mail, 'id'))?.args).toEqualTypeOf<Mail | undefined>()
    const { jobs } = await client.list(mail, { states: ['completed'] })
    expectTypeOf(jobs[0]?.result).toEqualTypeOf<number | undefined>()
    expectTypeOf((await client.list({ kinds: ['mail'] })).jobs[0]?.args).toEqualTypeOf<unknown>()
    // @ts-expect-error the kind is given already
    await client.list(mail, { kinds: ['mail'] })
  })
})

describe('enqueue', () => {
  it('takes the args of the kind and gives its result', async () => {
    const mail = kind<Mail, number>('mail')
    const job = await client.enqueue(mail, { to: 'ada' }, { delayMs: 5 })
    expectTypeOf(job.result).returns.resolves.toBeNumber()
    await client.enqueue(kind('tick'))
    await client.enqueue(kind('tick'), undefined, { queue: 'clock' })
    await client.enqueue('mail', { anything: 1 })
    await client.enqueueMany(mail, [{ to: 'ada' }])
    const at = kind('z', {
      args: z.object({ at: z.string().transform(text => new Date(text)) }),
      handler: ({ at }) => at.getTime(),
    })
    await client.enqueue(at, { at: '2030-01-01' })
    // @ts-expect-error the args of the schema are text, whatever it makes of it
    await client.enqueue(at, { at: new Date() })
    // @ts-expect-error wrong args
    await client.enqueue(mail, { to: 1 })
    // @ts-expect-error no args
    await client.enqueue(mail)
    // @ts-expect-error args too many
    await client.enqueue(kind('tick'), { to: 'ada' })
    // @ts-expect-error misspelt
    await client.enqueue(mail, { to: 'ada' }, { delayMS: 5 })
  })
})
