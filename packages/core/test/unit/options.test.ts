import { describe, expect, it } from 'vitest'
import { GenStageError } from '../../src/errors.ts'
import {
  abortSignal,
  badOption,
  duration,
  flag,
  oneOf,
  optionsWithout,
  ownOptions,
  refuseUnknown,
  unknownOption,
  wholeNumber,
} from '../../src/options.ts'

const where = 'stage "mailer"'

/** The error that `work` throws. */
function refusal(work: () => unknown): GenStageError {
  try {
    work()
  } catch (error) {
    if (error instanceof GenStageError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('ownOptions', () => {
  it('reads own properties that are not undefined', () => {
    const options = Object.create({ inherited: 1 }) as Record<string, unknown>
    options['own'] = 2
    options['absent'] = undefined
    expect(ownOptions(where, options)).toEqual({ own: 2 })
  })

  it('reads no options as none', () => {
    expect(ownOptions(where, undefined)).toEqual({})
    expect(ownOptions(where, {})).toEqual({})
  })

  it('reads each option once, so that it cannot change after it was checked', () => {
    let reads = 0
    const options = {
      get size() {
        return ++reads
      },
    }
    const own = ownOptions(where, options)
    expect([own['size'], own['size'], reads]).toEqual([1, 1, 1])
  })

  it('takes nothing from an own __proto__', () => {
    const options: unknown = JSON.parse('{"__proto__": {"size": 1}, "keep": "last"}')
    const own = ownOptions(where, options)
    expect(own['size']).toBeUndefined()
    expect(Object.keys(own)).toEqual(['keep'])
    expect(Object.getPrototypeOf(own)).toBe(null)
  })

  it('takes a class instance and an object without prototype', () => {
    class Settings {
      readonly size = 1
    }
    expect(ownOptions(where, new Settings())).toEqual({ size: 1 })
    expect(ownOptions(where, Object.assign(Object.create(null) as object, { size: 2 }))).toEqual({ size: 2 })
  })

  it.each<[value: unknown, shown: string]>([
    [null, 'null'],
    [7, '7'],
    ['max', '"max"'],
    [() => 1, 'a function'],
    [[], 'an empty array'],
    [[1], 'an array'],
    [new Map(), 'a Map'],
    [new Set(), 'a Set'],
  ])('refuses %o, which is no options object', (value, shown) => {
    const error = refusal(() => ownOptions(where, value))
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toBe(`stage "mailer": options must be an object, not ${shown}`)
  })

  it('refuses an option that cannot be read, with the cause', () => {
    const cause = new Error('no')
    const options = {
      get size(): number {
        throw cause
      },
    }
    const error = refusal(() => ownOptions(where, options))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'size', cause })
    expect(error.message).toBe('stage "mailer": reading the option size failed')
  })
})

describe('optionsWithout', () => {
  it('leaves out what is for somebody else, and changes nothing', () => {
    const options = ownOptions(where, { to: 1, replaces: 2, maxDemand: 3 })
    const rest = optionsWithout(options, 'to', 'replaces')
    expect({ ...rest }).toEqual({ maxDemand: 3 })
    expect(Object.getPrototypeOf(rest)).toBeNull()
    expect(Object.keys(options)).toEqual(['to', 'replaces', 'maxDemand'])
  })

  it('is empty when nothing is left', () => {
    expect(Object.keys(optionsWithout({ to: 1 }, 'to'))).toEqual([])
  })
})

describe('refuseUnknown', () => {
  it('lets known options pass', () => {
    expect(() => refuseUnknown(where, { name: 'a', dispatcher: 1 }, ['name', 'dispatcher'])).not.toThrow()
  })

  it('GS-L4 names the unknown option, the nearest known one and all known ones', () => {
    const error = refusal(() => refuseUnknown(where, { bufferSise: 1 }, ['bufferSize', 'bufferKeep']))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'bufferSise' })
    expect(error.message).toBe(
      'stage "mailer": unknown option "bufferSise"; did you mean bufferSize? known are bufferSize, bufferKeep',
    )
  })

  it('GS-L4 suggests nothing when nothing is near', () => {
    expect(refusal(() => refuseUnknown(where, { colour: 1 }, ['bufferSize'])).message).toBe(
      'stage "mailer": unknown option "colour"; known are bufferSize',
    )
    expect(refusal(() => refuseUnknown(where, { colour: 1 }, [])).message).toBe(
      'stage "mailer": unknown option "colour"; known are none',
    )
  })
})

describe('unknownOption', () => {
  it('says what kind of option it is', () => {
    const error = unknownOption(where, 'subscription option', 'max_demand', ['maxDemand'])
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'max_demand' })
    expect(error.message).toBe(
      'stage "mailer": unknown subscription option "max_demand"; did you mean maxDemand? known are maxDemand',
    )
  })
})

describe('where', () => {
  it('is asked for its words only when something is refused', () => {
    let asked = 0
    const lazy = {
      toString() {
        asked++
        return 'stage "mailer"'
      },
    }
    wholeNumber(lazy, ownOptions(lazy, { size: 1 }), 'size', 9, { min: 1 })
    expect(asked).toBe(0)
    expect(badOption(lazy, 'size', 0, 'a whole number').message).toBe('stage "mailer": size must be a whole number, not 0')
  })
})

describe('flag', () => {
  it('answers true or false; false where the option is absent', () => {
    expect([flag(where, { drain: true }, 'drain'), flag(where, { drain: false }, 'drain'), flag(where, {}, 'drain')]).toEqual([
      true,
      false,
      false,
    ])
  })

  it.each([0, 1, 'true', null, {}])('refuses %o', value => {
    expect(refusal(() => flag(where, { drain: value }, 'drain')).message).toContain('drain must be true or false, not ')
  })
})

describe('badOption', () => {
  it('tells where, which option, what is allowed and what was given', () => {
    const error = badOption(where, 'maxDemand', 0, 'a whole number from 1')
    expect(error).toMatchObject({ name: 'GenStageError', code: 'BAD_OPTION', option: 'maxDemand' })
    expect(error.message).toBe('stage "mailer": maxDemand must be a whole number from 1, not 0')
  })
})

describe('wholeNumber', () => {
  it('answers the fallback where the option is absent', () => {
    expect(wholeNumber(where, {}, 'size', 9, { min: 1 })).toBe(9)
  })

  it.each([1, 2, Number.MAX_SAFE_INTEGER])('takes %i', value => {
    expect(wholeNumber(where, { size: value }, 'size', 9, { min: 1 })).toBe(value)
  })

  it('takes Infinity where it is allowed', () => {
    expect(wholeNumber(where, { size: Infinity }, 'size', 9, { min: 0, infinity: true })).toBe(Infinity)
    const error = refusal(() => wholeNumber(where, { size: Infinity }, 'size', 9, { min: 0 }))
    expect(error.message).toBe('stage "mailer": size must be a whole number from 0 to 2^53 - 1, not Infinity')
  })

  it.each([0, -1, 1.5, NaN, -Infinity, 2 ** 53, '5', 5n, null, true, {}])('refuses %o', value => {
    const error = refusal(() => wholeNumber(where, { size: value }, 'size', 9, { min: 1, infinity: true }))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'size' })
    expect(error.message).toContain('size must be a whole number from 1, or Infinity, not ')
  })
})

describe('oneOf', () => {
  it('answers the word, or the fallback where the option is absent', () => {
    expect(oneOf(where, { keep: 'first' }, 'keep', ['first', 'last'], 'last')).toBe('first')
    expect(oneOf(where, {}, 'keep', ['first', 'last'], 'last')).toBe('last')
  })

  it.each<[value: unknown, shown: string]>([
    ['First', '"First"'],
    ['', '""'],
    [0, '0'],
    [null, 'null'],
    [['first'], 'an array'],
  ])('refuses %o', (value, shown) => {
    const error = refusal(() => oneOf(where, { keep: value }, 'keep', ['first', 'last'], 'last'))
    expect(error.message).toBe(`stage "mailer": keep must be one of 'first', 'last', not ${shown}`)
  })
})

describe('duration', () => {
  it.each([0, 0.5, 5_000, 2 ** 40])('takes %d milliseconds', value => {
    expect(duration(where, 'timeout', value, false)).toBe(value)
  })

  it('answers the fallback where there is one and nothing was given', () => {
    expect(duration(where, 'timeout', undefined, false, 5_000)).toBe(5_000)
    expect(duration(where, 'timeout', 0, false, 5_000)).toBe(0)
  })

  it('takes Infinity where it is allowed', () => {
    expect(duration(where, 'timeout', Infinity, true)).toBe(Infinity)
    expect(refusal(() => duration(where, 'timeout', Infinity, false)).message).toBe(
      'stage "mailer": timeout must be a number of milliseconds from 0, not Infinity',
    )
  })

  it.each([-1, NaN, -Infinity, '5', null, undefined, 5n])('refuses %o', value => {
    const error = refusal(() => duration(where, 'timeout', value, true))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'timeout' })
    expect(error.message).toContain('timeout must be a number of milliseconds from 0, or Infinity, not ')
  })
})

describe('abortSignal', () => {
  it('answers the signal, or undefined where the option is absent', () => {
    const { signal } = new AbortController()
    expect(abortSignal(where, { signal })).toBe(signal)
    expect(abortSignal(where, {})).toBeUndefined()
  })

  it.each([[null], [{ aborted: false }], [new AbortController()], [true]])('refuses %o', value => {
    const error = refusal(() => abortSignal(where, { signal: value }))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'signal' })
    expect(error.message).toContain('signal must be an AbortSignal, not ')
  })
})
