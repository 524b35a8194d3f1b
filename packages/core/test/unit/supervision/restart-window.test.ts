import { describe, expect, it } from 'vitest'
import { GenStageError } from '../../../src/errors.ts'
import { ownOptions } from '../../../src/options.ts'
import { Backoff, restartSettings, RestartWindow } from '../../../src/supervision/restart-window.ts'

const where = 'supervisor'

function settings(options: object): ReturnType<typeof restartSettings> {
  return restartSettings(where, ownOptions(where, options))
}

function refusal(options: object): GenStageError {
  try {
    settings(options)
  } catch (error) {
    if (error instanceof GenStageError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('restartSettings', () => {
  it('GS-V1 has the defaults of the reference: 3 restarts in 5 seconds, no wait', () => {
    expect(settings({})).toEqual({ maxRestarts: 3, windowMs: 5_000, backoff: undefined })
  })

  it('takes what was given, in milliseconds', () => {
    const backoff = { minDelayMs: 0.5, maxDelayMs: 100 }
    expect(settings({ maxRestarts: 0, maxSeconds: 60, backoff })).toEqual({ maxRestarts: 0, windowMs: 60_000, backoff })
    expect(settings({ maxRestarts: Infinity, maxSeconds: Infinity })).toMatchObject({ maxRestarts: Infinity, windowMs: Infinity })
  })

  it.each([-1, Number.NaN, 1.5, '3', null, -Infinity])('BAD-23 refuses %s as maxRestarts', maxRestarts => {
    expect(refusal({ maxRestarts })).toMatchObject({ code: 'BAD_OPTION', option: 'maxRestarts' })
  })

  it.each([0, -1, Number.NaN, 0.5, '5', null])('BAD-24 GS-V2 refuses %s as maxSeconds', maxSeconds => {
    expect(refusal({ maxSeconds })).toMatchObject({ code: 'BAD_OPTION', option: 'maxSeconds' })
  })

  it('BAD-26 refuses a backoff whose smallest wait is above its largest', () => {
    expect(refusal({ backoff: { minDelayMs: 20, maxDelayMs: 10 } })).toMatchObject({
      code: 'BAD_OPTION',
      option: 'minDelayMs',
      message: 'supervisor: backoff: minDelayMs (20) must not be above maxDelayMs (10)',
    })
  })

  it.each([
    ['backoff', 100],
    ['backoff', null],
    ['minDelayMs', {}],
    ['minDelayMs', { minDelayMs: 0, maxDelayMs: 10 }],
    ['minDelayMs', { minDelayMs: '1', maxDelayMs: 10 }],
    ['maxDelayMs', { minDelayMs: 1 }],
    ['maxDelayMs', { minDelayMs: 1, maxDelayMs: Infinity }],
    ['maxDelayMs', { minDelayMs: 1, maxDelayMs: Number.NaN }],
  ])('BAD-26 refuses a wrong %s in %j', (option, backoff) => {
    expect(refusal({ backoff })).toMatchObject({ code: 'BAD_OPTION', option })
  })

  it('BAD-19 suggests the right name for a misspelt one', () => {
    expect(refusal({ backoff: { minDelay: 1, maxDelayMs: 10 } }).message).toContain('did you mean minDelayMs?')
  })
})

describe('RestartWindow', () => {
  it('INV-20 allows maxRestarts within the window, and no more', () => {
    const window = new RestartWindow(settings({}))
    expect([0, 1, 2, 3].map(now => window.allows(now))).toEqual([true, true, true, false])
  })

  it('GS-V12 counts restarts that are exactly maxSeconds apart as within one window', () => {
    const window = new RestartWindow(settings({ maxRestarts: 1, maxSeconds: 5 }))
    expect(window.allows(100)).toBe(true)
    expect(window.allows(5_100)).toBe(false)
    expect(window.allows(5_100.001)).toBe(true)
  })

  it('allows none with maxRestarts 0, and any number with Infinity', () => {
    expect(new RestartWindow(settings({ maxRestarts: 0 })).allows(0)).toBe(false)
    const endless = new RestartWindow(settings({ maxRestarts: Infinity, maxSeconds: Infinity }))
    for (let n = 0; n < 1_000; n++) expect(endless.allows(0)).toBe(true)
  })

  it('forgets nothing with maxSeconds Infinity', () => {
    const window = new RestartWindow(settings({ maxRestarts: 2, maxSeconds: Infinity }))
    expect([0, 1e12, 1e15].map(now => window.allows(now))).toEqual([true, true, false])
  })
})

describe('Backoff', () => {
  const backoff = { minDelayMs: 100, maxDelayMs: 1_000 }

  it('is no wait where none was asked for', () => {
    expect(new Backoff(settings({})).next(0)).toBe(0)
  })

  it('doubles up to the largest wait', () => {
    const wait = new Backoff(settings({ backoff }))
    let now = 0
    const waits = Array.from({ length: 6 }, () => {
      const delay = wait.next(now)
      now += delay
      return delay
    })
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  it('begins anew when the child has held out for longer than the window', () => {
    const wait = new Backoff(settings({ backoff, maxSeconds: 5 }))
    expect(wait.next(0)).toBe(100)
    expect(wait.next(5_100)).toBe(200) // restarted at 100, and failed exactly at the edge
    expect(wait.next(10_301)).toBe(100) // restarted at 5,300
  })

  it('does not take the wait itself for a time in which all was well', () => {
    const wait = new Backoff(settings({ backoff: { minDelayMs: 4_000, maxDelayMs: 60_000 }, maxSeconds: 5 }))
    let now = 0
    const waits = Array.from({ length: 4 }, () => {
      const delay = wait.next(now)
      now += delay + 1
      return delay
    })
    expect(waits).toEqual([4_000, 8_000, 16_000, 32_000])
  })
})
