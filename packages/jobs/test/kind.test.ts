import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defaultBackoff, fixed } from '../src/backoff.ts'
import { encodeResult, isKind, kind, type Kind, prepareArgs, readArgs } from '../src/kind.ts'
import { badOption, refused } from './support/refusal.ts'

const handler = (args: { readonly to: string }): number => args.to.length

/** The text that is stored, with a schema that checks at once. */
function stored(of: Kind, args: unknown): string {
  const text = prepareArgs(of, args)
  if (typeof text !== 'string') throw new Error('it is still to come')
  return text
}

describe('a kind', () => {
  it('has a handler, and defaults for what nobody says', () => {
    const mail = kind('mail', handler)
    expect(mail).toMatchObject({ name: 'mail', handler, version: 1, backoff: defaultBackoff, args: undefined, result: undefined })
    expect(mail.defaults).toEqual({ queue: 'default', priority: 0, delayMs: 0, maxAttempts: 3, timeoutMs: undefined })
  })

  it('takes options', () => {
    const backoff = fixed(5)
    const upgrade = (args: unknown): unknown => args
    const options = { handler, backoff, upgrade, version: 2, queue: 'mails', priority: -5, maxAttempts: 1, timeoutMs: 100 }
    const mail = kind('mail', options)
    expect(mail).toMatchObject({ handler, backoff, upgrade, version: 2, timeoutMs: 100 })
    expect(mail.defaults).toEqual({ queue: 'mails', priority: -5, delayMs: 0, maxAttempts: 1, timeoutMs: 100 })
  })

  it('is told from what looks like one, and cannot be changed', () => {
    const mail = kind('mail')
    expect([isKind(mail), isKind({ ...mail }), isKind(null), isKind('mail')]).toEqual([true, true, false, false])
    expect(isKind({ name: 'mail', handler })).toBe(false)
    expect(Object.isFrozen(mail) && Object.isFrozen(mail.defaults)).toBe(true)
  })

  it('is given its handler later, where it was declared without one', () => {
    const declared = kind<{ readonly to: string }, number>('mail', { queue: 'mails', maxAttempts: 7 })
    const handled = declared.handledBy(handler)
    expect([declared.handler, handled.handler]).toEqual([undefined, handler])
    expect(handled.defaults).toEqual(declared.defaults)
    expect('handledBy' in handled).toBe(false)
  })

  it('BAD-87 has a name', () => {
    refused('BAD_NAME', () => kind(''))
    refused('BAD_NAME', () => kind('a b', handler))
  })

  it('BAD-107 refuses handlers that are no functions', () => {
    expect(badOption(() => kind('mail', { handler: 'send' as never })).message).toBe(
      'kind "mail": handler must be a function, not "send"',
    )
    badOption(() => kind('mail').handledBy(undefined as never))
    badOption(() => kind('mail', 5 as never))
    expect(badOption(() => kind('mail', { handle: handler } as never)).message).toContain('did you mean handler?')
  })

  it('refuses other bad options', () => {
    badOption(() => kind('mail', { args: { to: 'string' } as never, handler }))
    expect(badOption(() => kind('mail', z.string() as never)).message).toContain('kind "mail": ')
    for (const version of [0, -1, 1.5, Number.NaN, 2 ** 31]) badOption(() => kind('mail', { version, upgrade: () => 1 }))
    badOption(() => kind('mail', { version: 2 }))
    expect(badOption(() => kind('mail', { upgrade: () => 1 })).message).toContain(
      'version must be above 1, because there is an upgrade',
    )
    refused('BAD_NAME', () => kind('mail', { queue: 'failed' }))
  })

  it('BAD-94 BAD-95 BAD-96 refuses numbers that are none', () => {
    for (const priority of [1.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN]) badOption(() => kind('mail', { priority }))
    for (const maxAttempts of [0, -1, 1.5, Infinity, 1001]) badOption(() => kind('mail', { maxAttempts }))
    for (const timeoutMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) badOption(() => kind('mail', { timeoutMs }))
  })

  it('BAD-97 refuses a back-off that is no function', () => {
    for (const backoff of ['exponential', 5, null, {}])
      expect(badOption(() => kind('mail', { backoff: backoff as never })).message).toContain(
        'backoff must be a function such as exponential()',
      )
  })
})

describe('the args of a kind', () => {
  const at = kind('at', {
    args: z.object({ at: z.iso.datetime().transform(text => new Date(text)), n: z.number().default(1) }),
    handler: args => args.n,
  })

  it('are stored as they were given, and handled as the schema makes them', () => {
    const text = stored(at, { at: '2030-01-01T00:00:00Z' })
    expect(text).toBe('{"at":"2030-01-01T00:00:00Z"}')
    expect(readArgs(at, 1, text)).toEqual({ at: new Date('2030-01-01'), n: 1 })
  })

  it('are refused by the schema, before and after they were stored', () => {
    expect(refused('INVALID_ARGS', () => prepareArgs(at, { at: 'soon' })).path).toBe('args.at')
    expect(refused('INVALID_ARGS', () => readArgs(at, 1, '{"at":5}')).kind).toBe('at')
  })

  it('are refused where JSON would change them', () => {
    expect(refused('BAD_PAYLOAD', () => prepareArgs(kind('mail', handler), { to: new Date(0) })).path).toBe('args.to')
    refused('BAD_PAYLOAD', () => prepareArgs(kind('any', { args: z.any() }), { to: undefined }))
  })

  it('may be none', () => {
    const tick = kind('tick', () => 1)
    const text = stored(tick, undefined)
    expect([text, readArgs(tick, 1, text)]).toEqual(['null', undefined])
    refused('INVALID_ARGS', () => prepareArgs(at, undefined))
  })

  it('may be checked by a promise', async () => {
    const free = kind('free', { args: z.object({ name: z.string().refine(async name => name !== 'taken') }) })
    await expect(prepareArgs(free, { name: 'x' })).resolves.toBe('{"name":"x"}')
    await expect(prepareArgs(free, { name: 'taken' })).rejects.toMatchObject({ code: 'INVALID_ARGS', path: 'args.name' })
    await expect(readArgs(free, 1, '{"name":"x"}')).resolves.toEqual({ name: 'x' })
  })
})

describe('args of another version', () => {
  const upgrade = (args: unknown, from: number): unknown => (from === 1 ? { to: (args as { mail: string }).mail } : args)
  const mail = kind('mail', { version: 3, upgrade, args: z.object({ to: z.string() }), handler })

  it('are brought up to that of the kind, then checked', () => {
    expect(readArgs(mail, 1, '{"mail":"ada"}')).toEqual({ to: 'ada' })
    expect(readArgs(mail, 2, '{"to":"ada"}')).toEqual({ to: 'ada' })
    expect(readArgs(mail, 3, '{"to":"ada"}')).toEqual({ to: 'ada' })
    refused('INVALID_ARGS', () => readArgs(mail, 1, '{"mail":5}'))
  })

  it('are left to others where they are newer', () => {
    const error = refused('VERSION_TOO_NEW', () => readArgs(mail, 4, '{"to":"ada"}'))
    expect(error.message).toBe('kind "mail": the args are of version 4, known here is 3; a newer release has to handle the job')
  })

  it('are refused where the upgrade fails', async () => {
    expect(refused('INVALID_ARGS', () => readArgs(mail, 1, 'null')).cause).toBeInstanceOf(TypeError)
    const slow = kind('slow', {
      version: 2,
      upgrade: async args => (args === 'bad' ? Promise.reject(new Error('no')) : `${String(args)}!`),
    })
    await expect(readArgs(slow, 1, '"x"')).resolves.toBe('x!')
    await expect(readArgs(slow, 1, '"bad"')).rejects.toMatchObject({ code: 'INVALID_ARGS', cause: new Error('no') })
  })
})

describe('the result of a kind', () => {
  it('is stored as its schema makes it', () => {
    const counted = kind('z', { result: z.object({ n: z.number().default(0) }), handler: () => ({}) })
    expect(encodeResult(counted, { more: 1 })).toBe('{"n":0}')
    expect(refused('INVALID_ARGS', () => encodeResult(counted, { n: 'x' })).path).toBe('result.n')
  })

  it('may be none, which is not the same as null', () => {
    const plain = kind('plain', () => 1)
    expect([encodeResult(plain, undefined), encodeResult(plain, null)]).toEqual([undefined, 'null'])
    expect(refused('BAD_PAYLOAD', () => encodeResult(plain, { at: new Date(0) })).path).toBe('result.at')
    refused('BAD_PAYLOAD', () => encodeResult(plain, Promise.resolve(1)))
  })

  it('is not waited for', () => {
    const slow = kind('slow', { result: z.string().refine(async () => false), handler: () => 'x' })
    expect(refused('INVALID_ARGS', () => encodeResult(slow, 'x')).message).toContain('must check at once')
  })
})
