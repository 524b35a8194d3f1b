import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkJobId, checkKindName, checkQueueName } from '../src/names.ts'
import { badOption, refused } from './support/refusal.ts'

const message = (name: unknown): string => refused('BAD_NAME', () => checkKindName(name)).message

describe('the name of a kind', () => {
  it.each(['mail', 'mail.welcome', 'MyApp.Mailer-2', '_private', '2fa', 'x'.repeat(128)])('may be %s', name => {
    expect(checkKindName(name)).toBe(name)
  })

  it('BAD-87 is not empty, and is text', () => {
    expect(message('')).toBe('kind: the name must not be empty')
    expect(message(undefined)).toBe('kind: the name must be text, not undefined')
    expect(message(['mail'])).toBe('kind: the name must be text, not an array')
  })

  it('BAD-88 has at most 128 characters', () => {
    expect(message('x'.repeat(300))).toContain('the name has 300 characters, 128 are allowed')
    refused('BAD_NAME', () => checkKindName('x'.repeat(129)))
  })

  it('BAD-89 may be a name that objects have by themselves: kinds are looked up in a map', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) expect(checkKindName(name)).toBe(name)
  })

  it.each(['../x', 'a b', 'a/b', 'a:b', 'a\n', '\ta', 'a\u0000', 'mail😀', 'größe', '.hidden', '-x', 'a\u202Eb'])(
    'BAD-90 is not %j',
    name => {
      expect(message(name)).toContain('a name is made of letters, digits, "_", "-" and "."')
    },
  )

  it('BAD-90 is told what would do', () => {
    expect(message('send mail')).toContain('; try "send-mail"')
    expect(message('../x')).toContain('; try "x"')
    expect(message('😀')).not.toContain('try')
    const { kind, queue } = refused('BAD_NAME', () => checkKindName('a b'))
    expect([kind, queue]).toEqual(['a b', undefined])
  })
})

describe('any text', () => {
  it('BAD-90 is a name or refused, and what the refusal suggests is a name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.:/ -]{0,140}$/)), text => {
        if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) && text.length <= 128) {
          expect(checkKindName(text)).toBe(text)
          return
        }
        const [, suggested] = /; try "(.*)"$/.exec(message(text)) ?? []
        if (suggested !== undefined) expect(checkKindName(suggested)).toBe(suggested)
      }),
      { numRuns: 1000, seed: 90 },
    )
  })
})

describe('the name of a queue', () => {
  it('BAD-91 follows the same rules', () => {
    expect(checkQueueName('mail-high')).toBe('mail-high')
    for (const name of ['', 'a:b', '{a}', '*', 'a*', 'a\nb', 'x'.repeat(300), null])
      refused('BAD_NAME', () => checkQueueName(name))
    const { kind, queue } = refused('BAD_NAME', () => checkQueueName('a:b'))
    expect([kind, queue]).toEqual([undefined, 'a:b'])
  })

  it.each(['processed', 'failed', 'scheduled', 'completed', 'running', 'waiting', 'delayed', 'discarded', 'cancelled'])(
    'ROW-R7 is not %s, which is reserved',
    name => {
      expect(refused('BAD_NAME', () => checkQueueName(name)).message).toBe(
        `queue "${name}": the name is reserved; try "${name}-jobs"`,
      )
      expect(checkKindName(name)).toBe(name)
    },
  )
})

describe('the id of a job', () => {
  it('is a UUID, in small letters', () => {
    expect(checkJobId('find', '018F3C6E-0000-7000-8000-0123456789AB')).toBe('018f3c6e-0000-7000-8000-0123456789ab')
  })

  it.each(['', 'abc', "' or 1=1", '018f3c6e-0000-7000-8000-0123456789ab\n', 5, undefined])('is not %j', id => {
    expect(badOption(() => checkJobId('find', id)).message).toMatch(/^find: id must be a UUID, not /)
  })
})
