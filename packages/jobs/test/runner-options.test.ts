import { createRuntime, defaultRuntime } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { kind } from '../src/kind.ts'
import {
  anyRunnerSettings,
  clientSettings,
  queueSettings,
  type RunnerOptions,
  runnerSettings,
  type RunnerSettings,
  stopSettings,
} from '../src/runner-options.ts'
import type { Store } from '../src/store.ts'
import { badOption, refused } from './support/refusal.ts'

/** Nothing is ever called on it here. */
const store = Object.fromEntries(
  ['open', 'close', 'insert', 'claim', 'settle', 'heartbeat'].map(method => [
    method,
    () => Promise.reject(new Error('not called')),
  ]),
) as unknown as Store
const kinds = [kind('mail', () => 1)]
const settings = (options: Partial<RunnerOptions>): RunnerSettings =>
  runnerSettings({ store, kinds, queues: { default: 10 }, ...options })
const message = (options: object): string => badOption(() => settings(options)).message

describe('the options of a runner', () => {
  it('have defaults', () => {
    expect(settings({})).toMatchObject({
      store,
      runtime: defaultRuntime,
      logger: defaultRuntime.logger,
      pollMs: 2000,
      leaseMs: 30_000,
      heartbeatMs: 10_000,
      blockedLimitMs: 600_000,
      sweepMs: 5000,
      crashLimit: 3,
      graceMs: 10_000,
      abandonMs: 5000,
      unknownVersionMs: 60_000,
      strayErrors: 'exit',
      signals: true,
      middleware: [],
      name: undefined,
      metadata: undefined,
    })
    expect([...settings({}).queues]).toEqual([['default', { concurrency: 10, prefetchMs: 50, maxPrefetch: 1000, paused: false }]])
  })

  it('may say everything', () => {
    const runtime = createRuntime()
    const wrap = async (_: unknown, next: () => Promise<unknown>): Promise<unknown> => next()
    const given = settings({
      runtime,
      logger: console,
      queues: { mails: { concurrency: 5, paused: true }, slow: 1 },
      leaseMs: 300,
      metadata: { version: '1.2' },
      name: 'host-1',
      middleware: [wrap],
      signals: false,
      strayErrors: 'ignore',
      retention: false,
    })
    expect(given).toMatchObject({
      runtime,
      logger: console,
      leaseMs: 300,
      heartbeatMs: 100,
      blockedLimitMs: 6000,
      name: 'host-1',
    })
    expect(given).toMatchObject({
      metadata: '{"version":"1.2"}',
      middleware: [wrap],
      signals: false,
      strayErrors: 'ignore',
      retention: undefined,
    })
    expect([...given.queues.keys()]).toEqual(['mails', 'slow'])
    expect(given.queues.get('mails')).toEqual({ concurrency: 5, prefetchMs: 50, maxPrefetch: 1000, paused: true })
    expect(given.kinds.handled).toEqual(['mail'])
  })

  it('BAD-103 refuse numbers of handlers that are none', () => {
    for (const concurrency of [null, 0, -1, 1.5, Number.NaN, 1e9, Infinity, '5']) {
      expect(message({ queues: { mails: concurrency } })).toContain('startRunner: queue "mails": ')
      expect(message({ queues: { mails: { concurrency } } })).toContain('concurrency must be a whole number from 1 to 10000')
      badOption(() => queueSettings('queue "mails"', { concurrency }))
    }
    expect(settings({ queues: { mails: 10_000 } }).queues.get('mails')?.concurrency).toBe(10_000)
  })

  it('BAD-103 refuse other options of a queue', () => {
    for (const options of [
      { prefetchMs: -1 },
      { maxPrefetch: 1.5 },
      { maxPrefetch: null },
      { paused: 1 },
      { concurency: 5 },
      null,
      [],
    ])
      message({ queues: { mails: options } })
  })

  it('BAD-104 refuse times between polls', () => {
    for (const pollMs of [null, 0, -1, Number.NaN, Infinity, 3_600_001]) message({ pollMs })
    for (const sweepMs of [0, Number.NaN]) message({ sweepMs })
  })

  it('BAD-105 refuse a lease that ends before the next heartbeat', () => {
    expect(message({ leaseMs: 1000, heartbeatMs: 1000 })).toContain('heartbeatMs must be below leaseMs (1000), not 1000')
    message({ heartbeatMs: 40_000 })
    message({ heartbeatMs: 0 })
    for (const leaseMs of [0, 99, -1, Number.NaN, Infinity]) message({ leaseMs })
    expect(message({ blockedLimitMs: 29_999 })).toContain('blockedLimitMs must be at least leaseMs (30000)')
    expect(settings({ blockedLimitMs: Infinity }).blockedLimitMs).toBe(Infinity)
  })

  it('BAD-106 refuse times of grace', () => {
    for (const graceMs of [-1, Number.NaN, Infinity, 2 ** 31]) {
      message({ graceMs })
      badOption(() => stopSettings('stop', { graceMs }, 5))
    }
    expect([
      settings({ graceMs: 0 }).graceMs,
      stopSettings('stop', undefined, 5),
      stopSettings('stop', { graceMs: 0 }, 5),
    ]).toEqual([0, 5, 0])
    badOption(() => stopSettings('stop', { grace: 5 }, 5))
    message({ abandonMs: -1 })
    message({ unknownVersionMs: 0 })
  })

  it('BAD-107 refuse kinds that are none, that come twice, and none to handle', () => {
    message({ kinds: [() => 1] })
    message({ kinds: [...kinds, ...kinds] })
    message({ kinds: undefined })
    message({ kinds: null })
    for (const [names, problem] of [
      [['mail', 'sum'], 'none of mail, sum has one (handledBy gives it)'],
      [['mail'], 'none of mail has one (handledBy gives it)'],
      [[], 'no kinds were given'],
    ] as const)
      expect(message({ kinds: names.map(name => kind(name)) })).toBe(
        `startRunner: at least one of kinds must have a handler; ${problem}`,
      )
    const many = Array.from({ length: 12 }, (_, index) => kind(`k${index}`))
    expect(message({ kinds: many })).toContain('none of k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, … has one')
    expect(badOption(() => settings({ kinds: many })).option).toBe('kinds')
  })

  it('BAD-108 refuse no queues', () => {
    for (const queues of [{}, undefined, null, 5, 'default', ['default'], new Map([['default', 5]]), { default: undefined }])
      message({ queues })
    expect(message({ queues: {} })).toBe('startRunner: queues must name at least one queue, such as { default: 10 }; it is empty')
    expect(badOption(() => settings({ queues: {} })).option).toBe('queues')
  })

  it('are refused in the name of whoever was called', () => {
    const refusal = (options: object): string =>
      badOption(() => anyRunnerSettings('testRunner', { store, kinds, queues: { default: 1 }, ...options })).message
    for (const options of [
      { queues: {} },
      { queues: { default: 0 } },
      { kinds: 5 },
      { leaseMs: 0 },
      { heartbeatMs: 1e6 },
      { crashLimit: 0 },
      { middleware: 5 },
      { middleware: [5] },
      { retention: 5 },
      { name: '' },
      { store: 5 },
      { strayErrors: 5 },
      { signals: 5 },
      { grace: 5 },
    ])
      expect(refusal(options)).toMatch(/^testRunner: /)
    expect(anyRunnerSettings('testRunner', { store, kinds: [kind('mail')], queues: { default: 1 } }).kinds.handled).toEqual([])
  })

  it('BAD-91 refuse names of queues', () => {
    for (const name of ['', 'a:b', 'failed', 'a b']) refused('BAD_NAME', () => settings({ queues: { [name]: 5 } }))
  })

  it('BAD-110 refuse what nobody can keep', () => {
    for (const retention of [
      { completedMs: -1 },
      { completedMs: null },
      { failedKeep: 1.5 },
      { cancelledMs: Number.NaN },
      { discardedMs: '1d' },
      { waitingMs: 5 },
      true,
      5,
      [],
    ])
      message({ retention })
    expect(message({ retention: { complete: 5 } })).toContain('startRunner: retention: unknown option "complete"')
  })

  it('keep finished jobs for a while', () => {
    const day = 86_400_000
    expect(settings({}).retention).toEqual({
      olderThanMs: { completed: day, failed: 30 * day, discarded: 30 * day, cancelled: 7 * day },
      keep: { completed: 1_000_000 },
    })
    const retention = { completedMs: 0, failedMs: Infinity, failedKeep: 10, completedKeep: Infinity }
    expect(settings({ retention }).retention).toEqual({
      olderThanMs: { completed: 0, discarded: 30 * day, cancelled: 7 * day },
      keep: { failed: 10 },
    })
  })

  it('refuse everything else that is wrong', () => {
    expect(message({ queue: 5 })).toContain('unknown option "queue"; did you mean queues?')
    for (const other of [
      { store: undefined },
      { store: 'jobs.db' },
      { store: {} },
      { runtime: {} },
      { logger: { info() {} } },
      { logger: 5 },
    ])
      message(other)
    expect(message({ store: './jobs.db' })).toContain('store must be a store: sqliteStore(…)')
    for (const other of [
      { middleware: () => 1 },
      { middleware: [5] },
      { strayErrors: 'crash' },
      { signals: 1 },
      { crashLimit: 0 },
      { name: '' },
    ])
      message(other)
    expect(refused('BAD_PAYLOAD', () => settings({ metadata: { at: new Date(0) } })).path).toBe('metadata.at')
    refused('PAYLOAD_TOO_LARGE', () => settings({ metadata: 'x'.repeat(20_000) }))
  })
})

describe('the options of a client', () => {
  it('need nothing but a store', () => {
    const client = clientSettings({ store })
    expect(client).toMatchObject({ store, runtime: defaultRuntime, pollMs: 2000 })
    expect(client.kinds.size).toBe(0)
    expect(clientSettings({ store, kinds: [kind('mail')] }).kinds.handled).toEqual([])
  })

  it('refuse what is none', () => {
    for (const options of [undefined, null, {}, { store, queues: {} }, { store, kinds: {} }])
      badOption(() => clientSettings(options as never))
  })
})
