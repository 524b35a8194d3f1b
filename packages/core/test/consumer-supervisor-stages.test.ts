import {
  consumer,
  consumerSupervisor,
  ignore,
  isGraceful,
  producer,
  shutdown,
  start,
  supervisor as supervisorOf,
} from '@genstage/core'
import type { Definition, Reason, StageRef } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { deliberately, demands, type Item, range } from './support/stages.ts'
import { gate } from './support/turns.ts'
import { rejectionOf } from './support/watched-runtime.ts'
import { workshop } from './support/workshop.ts'

const oops = new Error('oops')

/** Stages that do what the event says when they are set up. */
function outcomes() {
  const tries: Item[] = []
  const refs = new Map<Item, StageRef>()
  const reasons: Reason['type'][] = []
  const restartCounts: number[] = []
  const Child = consumer((event: Item, ctx) => {
    tries.push(event)
    refs.set(event, ctx.self)
    restartCounts.push(ctx.restartCount)
    if (event === 'ignore') return ignore
    if (event === 'throw') throw oops
    if (event === 'reject') return Promise.reject(oops)
    if (event === 'garbage') return 'garbage' as never
    if (event === 'once' && ctx.restartCount > 0) return ignore
    if (event === 'twice' && ctx.restartCount === 1) throw oops
    if (event === 'never' && ctx.restartCount > 0) throw oops
    return {
      handleEvents(_events: readonly Item[]) {},
      handleCast(message: 'end' | 'fail') {
        if (message === 'fail') throw oops
        ctx.stop()
      },
      terminate: reason => void reasons.push(reason.type),
    }
  })
  return {
    Child,
    tries,
    reasons,
    restartCounts,
    tell(event: Item, message: 'end' | 'fail') {
      const ref = refs.get(event) as StageRef & { cast(message: string): void }
      ref.cast(message)
    },
    refs,
  }
}

describe('a consumer supervisor of stages', () => {
  it('T132 T133 T134 GS-V5 starts a stage for each event, which is its argument', async () => {
    const { Child, tries, refs } = outcomes()
    const { send, supervisor, runtime } = await workshop(Child, {}, { maxDemand: 2 })
    await send('a', 'b', 'c')
    expect(tries).toEqual(['a', 'b'])
    expect(supervisor.children()).toEqual([
      { id: 'child-1', ref: refs.get('a'), state: 'running', restarts: 0 },
      { id: 'child-2', ref: refs.get('b'), state: 'running', restarts: 0 },
    ])
    const { stages } = runtime.topology()
    expect(stages.filter(stage => stage.supervisor === supervisor.id)).toHaveLength(2)
  })

  it('T161 T163 GS-V6 an event whose stage is ignored or cannot start leaves no child, and is asked for again at once', async () => {
    const { Child, tries } = outcomes()
    const { send, supervisor, above, lines, lost } = await workshop(Child, { restart: 'transient' }, { maxDemand: 10 })
    await send('a', 'ignore', 'throw', 'reject', 'garbage', 'b')
    expect(supervisor.children().map(({ state }) => state)).toEqual(['running', 'running'])
    expect(tries).toEqual(['a', 'ignore', 'throw', 'reject', 'garbage', 'b'])
    expect(lines.map(({ level, text, fields }) => [level, fields.code, text.includes('could not start')])).toEqual(
      Array.from({ length: 3 }, () => ['error', 'child_failed', true]),
    )
    expect(lost).toEqual(['throw', 'garbage', 'reject'].map(event => ({ reason: 'child_start_failed', events: [event] })))
    expect(demands(above).reduce((sum, demand) => sum + demand, 0)).toBe(14)
  })

  it('T164 GS-V7 with max 1, min 0 each start that fails makes room for the next', async () => {
    const { Child, tries, tell } = outcomes()
    const { send, settle } = await workshop(Child, {}, { maxDemand: 1, minDemand: 0 })
    await send('throw', 'ignore', 'a', 'b')
    expect(tries).toEqual(['throw', 'ignore', 'a'])
    tell('a', 'end')
    await settle()
    expect(tries).toEqual(['throw', 'ignore', 'a', 'b'])
  })

  it('T137 T138 GS-V9 startChild tells how the start went, and the supervisor lives', async () => {
    const { Child, refs } = outcomes()
    const { supervisor, codes, lost } = await workshop(Child)
    expect(await supervisor.startChild('a')).toEqual({ id: 'child-1', ref: refs.get('a'), state: 'running', restarts: 0 })
    expect(await supervisor.startChild('ignore')).toMatchObject({ ref: undefined, state: 'stopped' })
    expect(await rejectionOf(supervisor.startChild('throw'))).toMatchObject({ code: 'SETUP_FAILED', cause: oops })
    expect(await rejectionOf(supervisor.startChild('garbage'))).toMatchObject(refusal('BAD_CALLBACKS', undefined))
    expect([codes(), lost]).toEqual([[], []])
    expect(supervisor.children()).toHaveLength(1)
  })

  it('GS-V8 a stage that is still starting counts', async () => {
    const { opened, open } = gate()
    const Slow = consumer(async (_event: Item) => {
      await opened
      return { handleEvents(_events: readonly Item[]) {} }
    })
    const { send, supervisor, settle } = await workshop(Slow, {}, { maxDemand: 1 })
    await send(1, 2)
    expect(supervisor.children()).toMatchObject([{ id: 'child-1', state: 'starting' }])
    const started = supervisor.startChild(3)
    open()
    expect(await started).toMatchObject({ state: 'running' })
    await settle()
    expect(supervisor.children()).toMatchObject([{ state: 'running' }, { state: 'running' }])
  })

  it('GS-V4 outlives its children: the end of one is a message to it', async () => {
    const { Child, refs, tell } = outcomes()
    const { send, settle, supervisor } = await workshop(Child)
    await send('a', 'b', 'c')
    tell('a', 'fail')
    await refs.get('b')?.kill()
    await settle()
    await send('d')
    expect(supervisor.children().map(({ id }) => id)).toEqual(['child-3', 'child-4'])
  })

  it('T139 GS-V10 a temporary stage that fails is logged once, and gone', async () => {
    const { Child, tell, tries } = outcomes()
    const { send, settle, supervisor, lines, lost, runtime } = await workshop(Child)
    const failed: unknown[] = []
    runtime.telemetry.on('failed', ({ error }) => failed.push(error))
    await send('a', 'b', 'c')
    tell('a', 'fail')
    tell('b', 'end')
    await settle()
    expect(supervisor.children().map(({ id }) => id)).toEqual(['child-3'])
    expect(lines.map(({ text, fields }) => [fields.code, text])).toEqual([
      ['child_failed', 'stage "workshop": child "child-1" failed: Error: oops'],
    ])
    expect(failed).toEqual([oops])
    expect(lost).toEqual([{ reason: 'consumer_crash', events: ['a'] }])
    expect(tries).toEqual(['a', 'b', 'c'])
  })

  it.each([{ type: 'normal' }, shutdown(), shutdown('detail'), { type: 'other', value: 'oops' }, { type: 'killed' }] as const)(
    'T140 GS-V10 a transient stage that ends with %j is started again only if that is a failure',
    async reason => {
      const { Child, refs, tries } = outcomes()
      const { send, settle, supervisor } = await workshop(Child, { restart: 'transient' })
      await send('a')
      void (reason.type === 'killed' ? refs.get('a')?.kill() : refs.get('a')?.stop(reason))
      await settle()
      expect(tries).toEqual(isGraceful(reason) ? ['a'] : ['a', 'a'])
      expect(supervisor.children()).toHaveLength(isGraceful(reason) ? 0 : 1)
    },
  )

  it('T141 GS-V11 a restart makes a new stage with its restartCount; one that is ignored ends the child', async () => {
    const { Child, refs, restartCounts, tell } = outcomes()
    const { send, settle, supervisor, lost } = await workshop(Child, { restart: 'transient' })
    await send('a', 'once')
    const first = refs.get('a')
    tell('a', 'fail')
    tell('once', 'fail')
    await settle()
    expect(refs.get('a')).not.toBe(first)
    expect(supervisor.children()).toMatchObject([{ id: 'child-1', ref: refs.get('a'), restarts: 1 }])
    expect(restartCounts).toEqual([0, 0, 1, 1])
    expect(lost).toEqual([])
  })

  it('T142 GS-V11 a restart that fails is tried again by itself', async () => {
    const { Child, tries, tell } = outcomes()
    const { send, settle, supervisor, codes } = await workshop(Child, { restart: 'transient' })
    await send('twice')
    tell('twice', 'fail')
    await settle()
    expect(tries).toEqual(['twice', 'twice', 'twice'])
    expect(supervisor.children()).toMatchObject([{ state: 'running', restarts: 2 }])
    expect(codes()).toEqual(['restarting', 'restarting'])
  })

  it('T145 GS-V12 each try counts', async () => {
    const { Child, tries, tell } = outcomes()
    const { send, supervisor } = await workshop(Child, { restart: 'transient', maxRestarts: 10 })
    const exited = supervisor.exited
    await send('never')
    tell('never', 'fail')
    expect(await exited).toMatchObject({ type: 'shutdown', detail: { code: 'TOO_MANY_RESTARTS' } })
    expect(tries).toHaveLength(11)
  })

  it('T146 GS-V14 with brutal_kill kills its stages', async () => {
    const { Child, reasons, refs } = outcomes()
    const { send, supervisor, lost } = await workshop(Child, { shutdown: 'brutal_kill' })
    await send('a', 'b')
    const exits = [...refs.values()].map(ref => ref.exited)
    expect((await supervisor.stop()).type).toBe('normal')
    expect(await Promise.all(exits)).toEqual([{ type: 'killed' }, { type: 'killed' }])
    expect([reasons, lost.length]).toEqual([[], 2])
  })

  it.each(['infinity', 1_000] as const)('T147 T149 GS-V14 with %s its stages end with shutdown', async limit => {
    const { Child, reasons } = outcomes()
    const { send, supervisor, lost } = await workshop(Child, { shutdown: limit })
    await send('a', 'b')
    expect((await supervisor.stop()).type).toBe('normal')
    expect([reasons, lost]).toEqual([['shutdown', 'shutdown'], []])
  })

  it('T151 GS-V14 kills a stage that does not end in time, and no other', async () => {
    const ends: Reason[] = []
    const Stubborn = consumer((event: Item, ctx) => {
      ctx.self.monitor(({ reason }) => ends.push(reason))
      return {
        handleEvents(_events: readonly Item[]) {},
        terminate: () => (event === 'stubborn' ? new Promise<void>(() => {}) : undefined),
      }
    })
    const { send, supervisor, pass, lost, timers, settle } = await workshop(Stubborn, { shutdown: 1 })
    await send('a', 'stubborn', 'b')
    const stopped = supervisor.stop()
    await settle()
    expect(ends).toEqual([shutdown(), shutdown()])
    await pass(1)
    expect((await stopped).type).toBe('normal')
    expect(ends[2]).toEqual({ type: 'killed' })
    expect([lost, timers()]).toEqual([[{ reason: 'killed', events: ['stubborn'] }], 0])
  })

  it('T152 T153 GS-V15 ends one stage', async () => {
    const { Child, reasons, tries } = outcomes()
    const { send, supervisor, codes } = await workshop(Child, { restart: 'transient' }, { maxDemand: 2 })
    await send('a', 'b', 'c')
    await supervisor.terminateChild('child-1')
    expect(reasons).toEqual(['shutdown'])
    expect(await rejectionOf(supervisor.terminateChild('child-1'))).toMatchObject({ code: 'UNKNOWN_CHILD' })
    await send()
    expect([tries, codes()]).toEqual([['a', 'b', 'c'], []])
  })

  it('INV-21 nothing is left when it is killed', async () => {
    const { Child, refs } = outcomes()
    const { send, supervisor, runtime, lost } = await workshop(Child)
    await send('a', 'b')
    const exits = [...refs.values()].map(ref => ref.exited)
    await supervisor.kill()
    expect(await Promise.all(exits)).toEqual([{ type: 'killed' }, { type: 'killed' }])
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['orders'])
    expect(lost).toEqual([{ reason: 'killed', events: ['a', 'b'] }])
  })

  it('a drain has its stages finish what they do', async () => {
    const { Child, reasons } = outcomes()
    const { send, supervisor, lost } = await workshop(Child)
    await send('a', 'b')
    expect((await supervisor.stop('normal', { drain: true })).type).toBe('normal')
    expect([reasons, lost]).toEqual([['shutdown', 'shutdown'], []])
  })

  it('GS-V16 its stages live on when a source has come to its end, and it ends with the last of them', async () => {
    const { Child, reasons, tell } = outcomes()
    const { send, supervisor, producer: orders, settle } = await workshop(Child, {}, { cancel: 'permanent' })
    const exited = supervisor.exited
    await send('a', 'b')
    await orders.stop()
    await settle()
    expect(supervisor.children()).toHaveLength(2)
    tell('a', 'end')
    tell('b', 'end')
    expect((await exited).type).toBe('normal')
    expect(reasons).toEqual(['normal', 'normal'])
  })

  it('a child may be a supervisor or a consumer supervisor itself', async () => {
    const Inner = consumerSupervisor((_event: Item) => new Promise(() => {}), { shutdown: 'brutal_kill' })
    for (const Child of [Inner, supervisorOf([])]) {
      const { send, supervisor } = await workshop(deliberately<Definition<Item, never, StageRef>>(Child))
      await send(1)
      expect(supervisor.children()).toMatchObject([{ state: 'running' }])
      await supervisor.stop()
    }
  })

  it('a child may be a producer', async () => {
    const Source = producer((count: Item) => {
      const events = [...range(0, Number(count))]
      return { handleDemand: demand => events.splice(0, demand) }
    })
    const { supervisor, settle } = await workshop(Source)
    const { ref } = await supervisor.startChild(3)
    const seen: Item[] = []
    start(
      consumer(() => ({ handleEvents: (events: readonly Item[]) => void seen.push(...events) })),
      { runtime: supervisor.runtime, subscribeTo: [{ to: ref as never, maxDemand: 3, minDemand: 0 }] },
    )
    await settle()
    await supervisor.terminateChild('child-1')
    await settle()
    expect(seen).toEqual([0, 1, 2])
  })
})
