/** What `supervisor`, `child` and `stopOnSignals` refuse: at the call, with the option named, and before anything has happened. */
import { child, consumer, createRuntime, producer, producerName, start, stopOnSignals, supervisor } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'

const Quiet = producer.of<number>()(() => ({ handleDemand() {} }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))
const good = child(Quiet, { id: 'good' })

/** A row: id, what is given, the option that is named, what the message says. */
type Row = readonly [title: string, attempt: () => unknown, option: string | undefined, says: readonly string[]]

const withOptions = (options: object) => () => supervisor([good], options)
const withChild = (options: object) => () => child(Quiet, wrong(options))

const supervisors: readonly Row[] = [
  ['BAD-23 maxRestarts -1', withOptions({ maxRestarts: -1 }), 'maxRestarts', ['a whole number from 0', 'not -1']],
  ['BAD-23 maxRestarts NaN', withOptions({ maxRestarts: NaN }), 'maxRestarts', ['a whole number from 0', 'not NaN']],
  ['maxRestarts 1.5', withOptions({ maxRestarts: 1.5 }), 'maxRestarts', ['not 1.5']],
  ['BAD-24 maxSeconds 0', withOptions({ maxSeconds: 0 }), 'maxSeconds', ['a whole number from 1', 'not 0']],
  ['maxSeconds "5"', withOptions({ maxSeconds: '5' }), 'maxSeconds', ['not "5"']],
  [
    'BAD-26 backoff min above max',
    withOptions({ backoff: { minDelayMs: 10, maxDelayMs: 5 } }),
    'minDelayMs',
    ['minDelayMs (10)', 'maxDelayMs (5)'],
  ],
  ['a backoff that is none', withOptions({ backoff: 100 }), 'backoff', ['{ minDelayMs, maxDelayMs }', 'not 100']],
  ['a backoff without a max', withOptions({ backoff: { minDelayMs: 1 } }), 'maxDelayMs', ['above 0', 'not undefined']],
  [
    'an unknown strategy',
    withOptions({ strategy: 'all_for_one' }),
    'strategy',
    ["'one_for_one', 'one_for_all', 'rest_for_one'", 'not "all_for_one"'],
  ],
  ['BAD-19 a misspelt option', withOptions({ maxRestart: 1 }), 'maxRestart', ['did you mean maxRestarts?']],
  ['options that are none', () => supervisor([good], wrong(5)), undefined, ['options must be an object', 'not 5']],
  ['two children with one id', () => supervisor([good, child(Sink, { id: 'good' })]), 'id', ['two children', '"good"']],
  ['no list', () => supervisor(wrong(good)), 'children', ['a list of child(…)']],
  ['no list at all', () => supervisor(wrong(undefined)), 'children', ['a list of child(…)', 'not undefined']],
  ['a definition as a child', () => supervisor(wrong([good, Quiet])), 'children', ['a list of child(…)', 'not an object']],
  ['something like a child', () => supervisor(wrong([{ id: 'a', restart: 'permanent' }])), 'children', ['child(…)']],
  ['an option that is no child of another', () => supervisor(wrong([undefined])), 'children', ['not undefined']],
]

const children: readonly Row[] = [
  ['no id', withChild({}), 'id', ['a text that is not empty', 'not undefined']],
  ['no options', () => child(Quiet, wrong(undefined)), 'id', ['not undefined']],
  ['an empty id', withChild({ id: '' }), 'id', ['a text that is not empty', 'not ""']],
  ['an id that is no text', withChild({ id: 5 }), 'id', ['not 5']],
  ['an unknown restart', withChild({ id: 'a', restart: 'always' }), 'restart', ["'permanent', 'transient', 'temporary'"]],
  ['shutdown -1', withChild({ id: 'a', shutdown: -1 }), 'shutdown', ["'infinity' or 'brutal_kill'", 'not -1']],
  ['shutdown NaN', withChild({ id: 'a', shutdown: NaN }), 'shutdown', ['not NaN']],
  ['shutdown Infinity', withChild({ id: 'a', shutdown: Infinity }), 'shutdown', ["'infinity'", 'not Infinity']],
  ['shutdown "kill"', withChild({ id: 'a', shutdown: 'kill' }), 'shutdown', ['not "kill"']],
  ['BAD-19 a misspelt option', withChild({ id: 'a', shutdwn: 5 }), 'shutdwn', ['did you mean shutdown?']],
  ['an option of another kind of stage', withChild({ id: 'a', subscribeTo: [] }), 'subscribeTo', ['unknown option']],
  ['a bad option of the start', withChild({ id: 'a', bufferSize: -1 }), 'bufferSize', ['stage "a"', 'not -1']],
  ['an empty name', withChild({ id: 'a', name: '' }), 'name', ['a text that is not empty']],
  ['runtime', withChild({ id: 'a', runtime: createRuntime() }), 'runtime', ['the runtime of its supervisor']],
  ['signal', withChild({ id: 'a', signal: new AbortController().signal }), 'signal', ['give the signal to the supervisor']],
  ['link', withChild({ id: 'a', link: undefined, signal: new AbortController().signal }), 'signal', []],
  ['something that is no definition', () => child(wrong({}), wrong({ id: 'a' })), 'definition', ['child takes a definition']],
  [
    'a bad option of a subscription',
    () => child(Sink, { id: 'a', subscribeTo: [{ to: producerName<number>('n'), maxDemand: 0 }] }),
    'maxDemand',
    ['stage "a"', 'not 0'],
  ],
  [
    'a subscription to itself',
    () => child(Sink, wrong({ id: 'a', name: 'a', subscribeTo: [producerName<number>('a')] })),
    'to',
    ['another stage'],
  ],
  [
    'an option that supervisors do not have',
    () => child(supervisor([]), wrong({ id: 'a', arg: 1 })),
    'arg',
    ['unknown option "arg"'],
  ],
]

describe('supervisor', () => {
  it.each(supervisors)('refuses %s', (_title, attempt, option, says) => {
    const error = thrownBy(attempt)
    expect(error).toMatchObject({ code: 'BAD_OPTION', option })
    for (const each of says) expect(String(error)).toContain(each)
  })

  it.each([{ subscribeTo: [] }, { arg: 1 }, { bufferSize: 1 }, { strategy: 'one_for_all' }])('is started without %s', options => {
    const { runtime } = watchedRuntime()
    const [option] = Object.keys(options)
    expect(thrownBy(() => start(supervisor([]), wrong({ runtime, ...options })))).toMatchObject({ code: 'BAD_OPTION', option })
    expect(runtime.topology().stages).toEqual([])
  })
})

describe('child', () => {
  it.each(children)('refuses %s', (_title, attempt, option, says) => {
    const error = thrownBy(attempt)
    expect(error).toMatchObject({ code: 'BAD_OPTION', option })
    for (const each of says) expect(String(error)).toContain(each)
  })

  it('refuses what cannot be subscribed to, with NOT_A_STAGE', () => {
    for (const subscribeTo of [['numbers'], [{ to: 'numbers' }], [undefined]]) {
      expect(thrownBy(() => child(Sink, wrong({ id: 'a', subscribeTo })))).toMatchObject({ code: 'NOT_A_STAGE', stage: 'a' })
    }
    expect(thrownBy(() => child(Sink, wrong({ id: 'a', subscribeTo: 5 })))).toMatchObject({ code: 'BAD_OPTION' })
  })

  it('refuses link, whatever it is', () => {
    const { runtime } = watchedRuntime()
    const error = thrownBy(() => child(Quiet, { id: 'a', link: start(Quiet, { runtime }) }))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'link' })
    expect(String(error)).toContain("'one_for_all'")
  })

  it('keeps the options as they were when it was made', async () => {
    const { runtime } = watchedRuntime()
    const options = { id: 'a', name: 'first' }
    const spec = child(Quiet, options)
    options.name = 'second'
    const root = start(supervisor([spec]), { runtime })
    await root.ready
    expect(root.children()[0]?.ref?.name).toBe('first')
  })
})

describe('stopOnSignals', () => {
  it('refuses what is no stage, and bad options of the stop', () => {
    const { runtime } = watchedRuntime()
    const root = start(supervisor([]), { runtime, name: 'root' })
    expect(thrownBy(() => stopOnSignals(wrong({})))).toMatchObject({ code: 'NOT_A_STAGE' })
    expect(thrownBy(() => stopOnSignals(root, { timeout: -1 }))).toMatchObject({ code: 'BAD_OPTION', option: 'timeout' })
    expect(thrownBy(() => stopOnSignals(root, wrong({ drain: 1 })))).toMatchObject({ code: 'BAD_OPTION', option: 'drain' })
    const misspelt = thrownBy(() => stopOnSignals(root, wrong({ timeuot: 1 })))
    expect(String(misspelt)).toContain('stage "root": stopOnSignals: unknown option "timeuot"; did you mean timeout?')
  })
})
