import { GenStageError } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { check } from '../conformance/check.ts'
import { differences, isEqual } from '../conformance/compare.ts'
import { replay } from '../conformance/replay.ts'
import { entriesIn, titleOf, toEntry } from '../conformance/format.ts'
import { Patience } from '../conformance/patience.ts'
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
    { op: 'estimate', stage: 'ghost' },
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
    await expect(replay(endless, 10_000)).rejects.toThrow(/never quiet after step 0, .*observations in \d+ turns, and no end/)
  })

  it('waits as long as something goes on: a million events, each asked for', async () => {
    const limit = 1_000_000
    const long: Scenario = {
      name: 'long',
      stages: [
        { id: 'p1', type: 'producer', source: 'counter', limit },
        { id: 'c1', type: 'consumer' },
      ],
      steps: [{ op: 'subscribe', as: 's1', consumer: 'c1', producer: 'p1', maxDemand: 1 }],
    }
    const { steps } = await replay(long)
    expect(steps[0]?.obs['c1']).toHaveLength(limit + 1)
    expect(steps[0]?.obs['c1']?.at(-1)).toEqual(['events', 's1', [limit - 1]])
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

  it('leaves out what is far from the difference', () => {
    const many = (last: number): Trace =>
      withStep(1, { result: 'ok', obs: { c1: Array.from({ length: 100 }, (_, index) => ['info', index === 50 ? last : index]) } })
    const lines = differences(scenario, many(-1), many(-2))
    expect(lines.slice(0, 4)).toEqual([
      'step 1 {"op":"ask","sub":"s1","n":2}',
      '  c1 expected:',
      '      … 30 more before',
      '      ["info",30]',
    ])
    expect(lines.at(-1)).toBe('      … 29 more after')
  })

  it('cuts long lines around the difference', () => {
    const [, ...lines] = differences(scenario, withLast(1), withLast(2))
    expect(lines.map(line => line.length).every(length => length < 180)).toBe(true)
    expect(lines.filter(line => line.includes('>')).map(line => line.slice(-5))).toEqual(['0,1]]', '0,2]]'])
  })
})

describe('Patience', () => {
  it('ends after 200 turns without an observation, and starts anew with each', () => {
    let observed = 0
    const patience = new Patience(() => observed)
    for (let round = 0; round < 3; round++) {
      observed++
      for (let turn = 0; turn <= 200; turn++) expect(patience.lasts()).toBe(true)
    }
    expect(patience.lasts()).toBe(false)
    expect(patience.spent).toBe('nothing was observed in 200 turns, and messages still wait')
  })

  it('ends also where something is observed in every turn', () => {
    let observed = 0
    const patience = new Patience(() => observed++)
    let turns = 0
    while (patience.lasts()) turns++
    expect(turns).toBe(100_000)
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

describe('the format', () => {
  const entry = { scenario, trace }

  /** The entry with other stages or steps; the trace has an outcome for each of them. */
  function entryWith(parts: { readonly stages?: readonly unknown[]; readonly steps?: readonly unknown[] }): unknown {
    const steps = parts.steps ?? scenario.steps
    return {
      scenario: { ...scenario, ...parts },
      trace: { start: trace.start, steps: steps.map(() => ({ result: 'ok', obs: {} })) },
    }
  }
  const p1 = { id: 'p1', type: 'producer', source: 'counter' }
  const c1 = { id: 'c1', type: 'consumer' }
  const s1 = { op: 'subscribe', as: 's1', consumer: 'c1', producer: 'p1' }
  const withStage = (stage: unknown) => entryWith({ stages: [stage, c1], steps: [] })
  const withStep = (step: unknown) => entryWith({ stages: [p1, c1], steps: [s1, step] })

  it('refuses what is no list of entries', () => {
    expect(() => entriesIn({})).toThrow('must be a list of { scenario, trace }')
    expect(() => entriesIn([])).toThrow('it is empty')
    expect(entriesIn([null, 5])).toEqual([null, 5])
  })

  it('names an entry by its scenario, or by its place in the file', () => {
    expect([titleOf(entry, 3), titleOf({ scenario: {} }, 3), titleOf(null, 3)]).toEqual(['two-events', 'entry 3', 'entry 3'])
  })

  it.each<[string, unknown]>([
    ['ghosts, wherever a stage is named', withStep({ op: 'estimate', stage: 'ghost' })],
    ['a subscription that is only made later', entryWith({ steps: [{ op: 'ask', sub: 's1', n: 1 }, s1], stages: [p1, c1] })],
    ['amounts that the library refuses', withStep({ ...s1, as: 's2', maxDemand: -1, minDemand: 'x', cancel: 'sometimes' })],
    ['options that the library refuses', withStage({ ...p1, bufferSize: 'big', bufferKeep: 'middle', demand: 'sometimes' })],
    ['a partition dispatcher without partitions and hash', withStage({ ...p1, dispatcher: { type: 'partition' } })],
    ['a producer that wrongly chooses the mode', withStage({ ...p1, onSubscribe: 'manual', onCancel: [1, 2] })],
    ['notes in entries and scenarios', { ...entry, recorded: '1.3.2', scenario: { ...scenario, author: 'x' } }],
    ['a deviation without a trace', { ...entry, deviation: { rules: ['X4'], trace: null, why: 'it races' } }],
  ])('takes %s', (_what, item) => {
    expect(toEntry(item)).toBe(item)
  })

  it.each<[unknown, string]>([
    [null, 'entry must be an entry: an object with scenario, trace, deviation, not null'],
    [{ trace }, 'entry.scenario must be a scenario: an object with name, why, stages, steps; it is missing'],
    [{ scenario: { ...scenario, name: 1 }, trace }, 'entry.scenario.name must be a string, not 1'],
    [{ scenario: { ...scenario, stages: {} }, trace }, 'entry.scenario.stages must be a list of stages, not {}'],
    [{ scenario }, 'entry.trace must be a trace: an object with start, steps; it is missing'],
    [withStage(null), 'entry.scenario.stages[0] must be a stage: an object with type and more, not null'],
    [
      withStage({ ...p1, type: 'prodcer' }),
      'stages[0].type must be "producer" or "producer_consumer" or "consumer", not "prodcer"',
    ],
    [withStage({ ...p1, bufferSzie: 3 }), 'entry.scenario.stages[0] has the unknown key "bufferSzie"; a producer has id, type, '],
    [withStage({ ...p1, source: 'tap' }), 'stages[0].source must be "manual" or "counter" or "chunk" or "stop", not "tap"'],
    [withStage({ ...p1, onSubscribe: 'foo' }), 'stages[0].onSubscribe must be "stop" or "manual", not "foo"'],
    [withStage({ ...p1, onCancel: 5 }), 'stages[0].onCancel must be "stop" or a list of numbers, not 5'],
    [withStage({ ...p1, dispatcher: { type: 'x' } }), 'dispatcher.type must be "demand" or "broadcast" or "partition", not "x"'],
    [withStage(c1), 'entry.scenario.stages[1].id must be a name that nothing before it has, not "c1"'],
    [withStage({ ...c1, subscribeTo: [{ as: 's' }] }), 'stages[0].subscribeTo[0].producer must be a string; it is missing'],
    [withStep(null), 'entry.scenario.steps[1] must be a step: an object with op and more, not null'],
    [withStep({ op: 'fly', stage: 'p1' }), 'entry.scenario.steps[1].op must be "subscribe" or '],
    [withStep({ op: 'emit', stage: 'p1' }), 'entry.scenario.steps[1].events must be a list of numbers; it is missing'],
    [withStep({ op: 'emit', stage: 'p1', events: ['a'] }), 'entry.scenario.steps[1].events[0] must be a number, not "a"'],
    [withStep({ op: 'ask', sub: 's1' }), 'entry.scenario.steps[1].n must be a number; it is missing'],
    [withStep({ op: 'ask', sub: 'zz', n: 1 }), 'steps[1].sub must be a subscription of the scenario (s1), not "zz"'],
    [
      withStep({ op: 'stop', stage: 'zz', reason: 'x' }),
      'steps[1].stage must be a stage of the scenario (p1, c1, ghost), not "zz"',
    ],
    [
      withStep({ ...s1, as: 's2', producer: 'zz' }),
      'steps[1].producer must be a stage of the scenario (p1, c1, ghost), not "zz"',
    ],
    [withStep({ ...s1, as: 's2', how: 'later' }), 'entry.scenario.steps[1].how must be "async", not "later"'],
    [withStep({ ...s1, as: 's2', selector: 'x' }), 'entry.scenario.steps[1].selector must be "even" or '],
    [withStep(s1), 'entry.scenario.steps[1].as must be a name that nothing before it has, not "s1"'],
    [{ scenario, trace: { ...trace, start: {} } }, 'entry.trace.start.results must be an object; it is missing'],
    [{ scenario, trace: { ...trace, steps: [{ result: 0 }] } }, 'entry.trace.steps[0].obs must be an object; it is missing'],
    [{ scenario, trace: { ...trace, steps: [{ result: {}, obs: {} }] } }, 'steps[0].result must be a string or a number, not {}'],
    [{ scenario, trace: { ...trace, steps: [] } }, 'entry.trace.steps must have an outcome for each of the 5 steps, not 0'],
    [{ ...entry, deviation: null }, 'entry.deviation must be a deviation: an object with rules, trace, why, not null'],
    [{ ...entry, deviation: { trace: null } }, 'entry.deviation.rules must be a list of rules; it is missing'],
  ])('refuses, by place and with what is allowed: %#', (item, message) => {
    expect(() => toEntry(item)).toThrow(message)
  })
})
