import { describe, expect, it } from 'vitest'
import { kind } from '../src/kind.ts'
import { KindRegistry } from '../src/kind-registry.ts'
import { badOption, refused } from './support/refusal.ts'

const registry = (...kinds: readonly unknown[]): KindRegistry => new KindRegistry('startRunner', kinds)

describe('a registry of kinds', () => {
  it('finds kinds by name, and tells which have a handler', () => {
    const mail = kind('mail', () => 1)
    const declared = kind('resize')
    const kinds = registry(mail, declared)
    expect([kinds.size, kinds.get('mail'), kinds.find('resize'), kinds.find('other')]).toEqual([2, mail, declared, undefined])
    expect(kinds.handled).toEqual(['mail'])
  })

  it('suggests the nearest name for one that it does not know', () => {
    const kinds = registry(kind('mail.welcome'), kind('resize'))
    const error = refused('UNKNOWN_KIND', () => kinds.get('mail.welcom'))
    expect([error.message, error.kind]).toEqual([
      'there is no kind "mail.welcom" here; did you mean mail.welcome?',
      'mail.welcom',
    ])
    expect(refused('UNKNOWN_KIND', () => kinds.get('zzzzzzzzz')).message).toContain('; known are mail.welcome, resize')
    expect(refused('UNKNOWN_KIND', () => registry().get('mail')).message).toContain('; known are none')
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'BAD-89 knows %s only if it was registered',
    name => {
      refused('UNKNOWN_KIND', () => registry(kind('mail')).get(name))
      const own = kind(name, () => 1)
      expect(registry(own).get(name)).toBe(own)
    },
  )

  it('BAD-107 refuses a name that is registered twice', () => {
    const mail = kind<void, number>('mail')
    expect(
      badOption(() =>
        registry(
          mail,
          kind('mail', () => 1),
        ),
      ).message,
    ).toContain('kinds[1] must be of another name than those before it, not "mail"')
    badOption(() => registry(mail, mail))
    badOption(() =>
      registry(
        mail,
        mail.handledBy(() => 1),
      ),
    )
  })

  it('BAD-107 refuses what was not made by kind()', () => {
    for (const other of [undefined, null, 'mail', () => 1, {}, { name: 'mail', handler: () => 1 }])
      badOption(() => registry(other))
    badOption(() => new KindRegistry('startRunner', { mail: () => 1 }))
  })
})
