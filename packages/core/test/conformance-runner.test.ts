import { GenStageError } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { check } from '../conformance/check.ts'
import { differences, isEqual } from '../conformance/compare.ts'
import { replay } from '../conformance/replay.ts'
import { toEntries } from '../conformance/scenario.ts'
import type { Entry, Scenario, Trace } from '../conformance/scenario.ts'
import { errorOf, errorToken, reasonOf, reasonToken } from '../conformance/tokens.ts'

const scenario: Scenario = {
  name: 'two-events',
  why: 'a consumer gets what it asked for',
  stages: [
    { id: 'p1', type: 'producer', source: 'counter', limit: 9 },
    { id: 'c1', type: 'consumer' },
  ],
  steps: [
    { op: 'subscribe', as: 's1', consumer: 'c1', producer: 'p1', mode: 'manual', cancel: 'temporary' },
    { op: 'ask', sub: 's1', n: 2 },
    { op: 'ask', sub: 's2', n: 1 },
    { op: 'stop', stage: 'p1', reason: 'shutdown:bye' },
    { op: 'estimate', stage: 'p1' },
  ],
}

const trace: Trace = {
  start: { results: { p1: 'ok', c1: 'ok' }, obs: {} },
  steps: [
    {
      result: 'ok',
      obs: {
        p1: [['subscribe', 'consumer', 's1', 'c1', { cancel: 'temporary' }]],
        c1: [['subscribe', 'producer', 's1', 'p1', { cancel: 'temporary' }]],
      },
    },
    { result: 'ok', obs: { p1: [['demand', 2]], c1: [['events', 's1', [0, 1]]] } },
    { result: 'noproc', obs: {} },
    {
      result: 'ok',
      obs: {
        p1: [
          ['terminate', 'shutdown:bye'],
          ['exit', 'shutdown:bye'],
        ],
        c1: [['cancel', 'down', 'shutdown:bye', 's1', 'p1']],
      },
    },
    { result: 'noproc', obs: {} },
  ],
}

/** The trace with something else in place of a step. */
function withStep(index: number, step: Trace['steps'][number]): Trace {
  return { ...trace, steps: trace.steps.map((each, at) => (at === index ? step : each)) }
}

/** The trace with a batch that is too long for a line and ends like this. */
function withLast(last: number): Trace {
  const events = Array.from({ length: 500 }, (_, index) => (index === 499 ? last : 0))
  return withStep(1, { result: 'ok', obs: { c1: [['events', 's1', events]] } })
}

describe('replay', () => {
  it('records what the stages of a scenario observe', async () => {
    expect(await replay(scenario)).toEqual(trace)
  })

  it('gives up on a scenario that never becomes quiet', async () => {
    const endless: Scenario = {
      name: 'endless',
      stages: [
        { id: 'p1', type: 'producer', source: 'counter' },
        { id: 'c1', type: 'consumer' },
      ],
      steps: [{ op: 'subscribe', as: 's1', consumer: 'c1', producer: 'p1', maxDemand: 2 }],
    }
    await expect(replay(endless)).rejects.toThrow('never quiet after step 0')
  })

  it('refuses names that the format does not know', async () => {
    const stages: Scenario['stages'] = [{ id: 'p1', type: 'producer', source: 'tap' }]
    await expect(replay({ name: 'odd', stages, steps: [] })).rejects.toThrow('unknown source "tap"; there are manual, counter')
    const [step] = JSON.parse('[{ "op": "pause", "stage": "p1" }]')
    await expect(replay({ name: 'odd', stages: [], steps: [step] })).rejects.toThrow('unknown op: {"op":"pause","stage":"p1"}')
  })
})

describe('check', () => {
  it('passes a scenario whose trace is as expected', async () => {
    expect(await check({ scenario, trace })).toEqual({ type: 'passed' })
  })

  it('prefers the trace of a deviation', async () => {
    const wrong = withStep(1, { result: 'ok', obs: {} })
    expect(await check({ scenario, trace: wrong, deviation: { rules: ['X1'], trace } })).toEqual({ type: 'passed' })
    expect(await check({ scenario, trace, deviation: { rules: ['X1'], trace: wrong } })).toMatchObject({ type: 'failed' })
  })

  it('replays without comparing where the deviation has no trace', async () => {
    const entry: Entry = { scenario, trace, deviation: { rules: ['X4'], trace: null, why: 'two stages feed one consumer' } }
    expect(await check(entry)).toEqual({ type: 'not compared', why: 'two stages feed one consumer' })
  })

  it('fails what cannot be replayed, also where nothing is compared', async () => {
    const odd = { ...scenario, stages: [{ id: 'p1', type: 'producer', source: 'tap' }] } as const
    const verdict = await check({ scenario: odd, trace, deviation: { rules: ['X4'], trace: null, why: 'it races' } })
    expect(verdict).toMatchObject({ type: 'failed' })
    expect(verdict.type === 'failed' && verdict.lines.join('\n')).toContain(
      'could not be replayed: ScenarioError: unknown source "tap"',
    )
  })

  it('shows the step and both lists, with the first difference marked', async () => {
    const wrong = withStep(1, { result: 'ok', obs: { p1: [['demand', 2]], c1: [['events', 's1', [0]]] } })
    expect(await check({ scenario, trace: wrong })).toEqual({
      type: 'failed',
      lines: [
        'a consumer gets what it asked for',
        'step 1 {"op":"ask","sub":"s1","n":2}',
        '  c1 expected:',
        '    > ["events","s1",[0]]',
        '  c1 actual:',
        '    > ["events","s1",[0,1]]',
      ],
    })
  })
})

describe('differences', () => {
  it('finds none between equal traces', () => {
    expect(differences(scenario, trace, structuredClone(trace))).toEqual([])
  })

  it('shows results, and lists of different lengths', () => {
    const wrong = withStep(3, { result: 'noproc', obs: { p1: [['terminate', 'shutdown:bye']] } })
    expect(differences(scenario, wrong, trace)).toEqual([
      'step 3 {"op":"stop","stage":"p1","reason":"shutdown:bye"}',
      '  result: expected "noproc", actual "ok"',
      '  p1 expected:',
      '      ["terminate","shutdown:bye"]',
      '    > (nothing more)',
      '  p1 actual:',
      '      ["terminate","shutdown:bye"]',
      '    > ["exit","shutdown:bye"]',
      '  c1 expected:',
      '    > (nothing more)',
      '  c1 actual:',
      '    > ["cancel","down","shutdown:bye","s1","p1"]',
    ])
  })

  it('names the other steps that differ', () => {
    const lines = differences(scenario, { ...trace, start: { results: {}, obs: {} }, steps: trace.steps.slice(0, 4) }, trace)
    expect(lines[0]).toBe('start')
    expect(lines.at(-1)).toBe('also different: step 4')
  })

  it('cuts long lines around the difference', () => {
    const [, ...lines] = differences(scenario, withLast(1), withLast(2))
    expect(lines.map(line => line.length).every(length => length < 180)).toBe(true)
    expect(lines.filter(line => line.includes('>')).map(line => line.slice(-5))).toEqual(['0,1]]', '0,2]]'])
  })
})

describe('isEqual', () => {
  it('compares deeply, and takes no list for a record', () => {
    expect(isEqual({ a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] })).toBe(true)
    expect(isEqual({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true)
    expect(isEqual([1], { 0: 1 })).toBe(false)
    expect(isEqual([1, 2], [1])).toBe(false)
    expect(isEqual({ a: 1 }, { b: 1 })).toBe(false)
    expect(isEqual({}, null)).toBe(false)
  })
})

describe('tokens', () => {
  it.each([
    'normal',
    'shutdown',
    'shutdown:bye',
    'killed',
    'noproc',
    'done',
    'already_subscribed',
    'error:boom',
    'error:bad_return',
    'error:bad_hash',
    'error:partition_taken',
    'error:partition_required',
    'error:partition_unknown',
    'error:unknown_partition',
    'error:partitions_required',
    'error:hash_required',
    'error:bad_selector',
    'error:bad_opts:maxDemand',
    'error:invalid_demand',
    'error:not_a_consumer',
    'error:not_a_producer',
  ])('reads and writes %s', token => {
    expect(reasonToken(reasonOf(token))).toBe(token)
  })

  it('takes an error that only wraps another for what is inside', () => {
    const noproc = new GenStageError('SETUP_FAILED', 'no producer', { reason: { type: 'noproc' } })
    const broken = new GenStageError('DISPATCHER_FAILED', 'it broke', { cause: new Error('boom') })
    expect([errorToken(noproc), errorToken(broken), errorToken('boom')]).toEqual(['noproc', 'error:boom', 'error:boom'])
    expect(errorOf('done')).toBeUndefined()
  })
})

describe('toEntries', () => {
  it('refuses what is no list of scenarios', () => {
    expect(() => toEntries({})).toThrow('not a list of scenarios')
    expect(() => toEntries([])).toThrow('a list without scenarios')
    expect(() => toEntries([{ scenario, trace }, { scenario }])).toThrow('item 1 is no')
  })
})
