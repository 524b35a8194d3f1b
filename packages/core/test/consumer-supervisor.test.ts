import { child, consumerSupervisor, fromIterable, producerName, start, supervisor } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawProducer } from './support/raw-peer.ts'
import { refusal } from './support/refusal.ts'
import { demands, type Item, range } from './support/stages.ts'
import { rejectionOf, thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'
import { Tasks, workshop } from './support/workshop.ts'

const Unknown = producerName<Item>('unknown')

describe('consumerSupervisor', () => {
  it('T125 GS-V1 is a definition, which can be a child of a supervisor', async () => {
    const world = watchedRuntime()
    const tasks = new Tasks()
    const Workers = consumerSupervisor(tasks.handle)
    expect(Workers.type).toBe('consumer')
    const root = start(supervisor([child(Workers, { id: 'workers', subscribeTo: [] })]), { runtime: world.runtime })
    await world.settle()
    const info = await root.child('workers')?.startChild(1)
    expect(info).toMatchObject({ id: 'child-1', state: 'running' })
    const stopped = root.stop()
    await world.settle()
    expect(tasks.of(1).task.stopping.aborted).toBe(true)
    tasks.of(1).resolve()
    expect(await stopped).toEqual({ type: 'normal' })
  })

  it.each([
    ['nothing', undefined],
    ['a list of two', [() => {}, () => {}]],
    ['a record', {}],
  ])('T126 GS-V2 refuses %s in place of a child', (_what, value) => {
    expect(thrownBy(() => consumerSupervisor(wrong(value)))).toMatchObject(refusal('BAD_OPTION', 'child', 'a function'))
  })

  it.each([
    ['options', [], undefined],
    ['options', 1, undefined],
    ['strategy', { strategy: 'one_for_all' }, 'strategy'],
    ['maxRestarts', { maxRestarts: 1.5 }, 'maxRestarts'],
    ['maxSeconds', { maxSeconds: 'five' }, 'maxSeconds'],
  ])('T126 GS-V2 BAD-23 BAD-24 refuses wrong %s: %j', (_what, options, option) => {
    expect(thrownBy(() => consumerSupervisor(() => {}, wrong(options)))).toMatchObject(refusal('BAD_OPTION', option))
  })

  it('BAD-19 suggests the right name for a misspelt option', () => {
    expect(thrownBy(() => consumerSupervisor(() => {}, wrong({ maxRestart: 1 })))).toMatchObject(
      refusal('BAD_OPTION', 'maxRestart', 'did you mean maxRestarts?'),
    )
  })

  it('T127 BAD-25 GS-V3 refuses permanent children, and says why', () => {
    expect(thrownBy(() => consumerSupervisor(() => {}, wrong({ restart: 'permanent' })))).toMatchObject(
      refusal('BAD_OPTION', 'restart', "'transient' or 'temporary'", 'not handled again'),
    )
  })

  it.each(['always', null, 1])('T127 GS-V3 refuses %j as restart', restart => {
    expect(thrownBy(() => consumerSupervisor(() => {}, wrong({ restart })))).toMatchObject(refusal('BAD_OPTION', 'restart'))
  })

  it.each([-1, Number.NaN, Infinity, 'soon', null])('T127 GS-V2 refuses %s as shutdown', shutdown => {
    expect(thrownBy(() => consumerSupervisor(() => {}, wrong({ shutdown })))).toMatchObject(refusal('BAD_OPTION', 'shutdown'))
  })

  it('T130 T134 GS-L8 can be found by its name, and fails with the stage that it is linked to', async () => {
    const world = watchedRuntime()
    const { runtime, settle } = world
    const Workers = consumerSupervisor(() => {})
    const other = start(Workers, { runtime })
    const workers = start(Workers, { runtime, name: 'workers', link: other })
    expect(runtime.whereis('workers')).toBe(workers)
    const exited = workers.exited
    await settle()
    void other.stop({ type: 'other', value: 'oops' })
    await settle()
    expect(await exited).toEqual({ type: 'other', value: 'oops' })
  })

  it('GS-L6 takes the options of a consumer, and no others', () => {
    const { runtime } = watchedRuntime()
    expect(
      thrownBy(() =>
        start(
          consumerSupervisor(() => {}),
          wrong({ runtime, bufferSize: 1 }),
        ),
      ),
    ).toMatchObject(refusal('BAD_OPTION', 'bufferSize'))
  })

  it('is listed in the topology as a consumer, with its children in flight', async () => {
    const tasks = new Tasks()
    const { runtime, supervisor: workers, send } = await workshop(tasks.handle, {}, { maxDemand: 3 })
    await send(1, 2)
    const { stages, edges } = runtime.topology()
    expect(stages.find(stage => stage.id === workers.id)).toMatchObject({ name: 'workshop', type: 'consumer' })
    expect(edges).toMatchObject([{ demand: 1, inFlight: 2, delivered: 2 }])
    tasks.of(1).resolve()
    await send()
    expect(runtime.topology().edges).toMatchObject([{ demand: 2, inFlight: 1, delivered: 2 }])
  })
})

describe('subscribing a consumer supervisor', () => {
  it('T155 GS-S1 GS-V5 gives a subscription, and asks for as many as may run', async () => {
    const { supervisor: workers, producer, above, settle } = await workshop(new Tasks().handle, {}, { maxDemand: 7 })
    const subscription = workers.subscribe({ to: producer, maxDemand: 4 })
    await expect(subscription.accepted).resolves.toBeUndefined()
    await settle()
    expect(demands(above)).toEqual([7, 4])
  })

  it('T156 T45 GS-S3 logs and throws BAD_OPTION for a bound that is broken', async () => {
    const { supervisor: workers, producer, codes } = await workshop(new Tasks().handle)
    expect(thrownBy(() => workers.subscribe({ to: producer, maxDemand: 0 }))).toMatchObject(refusal('BAD_OPTION', 'maxDemand'))
    expect(thrownBy(() => workers.subscribe({ to: producer, minDemand: 2_000 }))).toMatchObject(
      refusal('BAD_OPTION', 'minDemand', '999'),
    )
    expect(codes()).toEqual(['bad_opts', 'bad_opts'])
  })

  it('T157 T159 GS-S4 ends with noproc when nobody has the name, unless the subscription is temporary', async () => {
    const { supervisor: workers, settle } = await workshop(new Tasks().handle)
    workers.subscribe({ to: Unknown, cancel: 'temporary' })
    await settle()
    const exited = workers.exited
    expect((await workers.inspect()).type).toBe('consumer')
    workers.subscribe({ to: Unknown })
    expect(await exited).toEqual({ type: 'noproc' })
  })

  it('T158 T160 GS-S5 ends with noproc when the producer has ended, unless the subscription is temporary', async () => {
    const { supervisor: workers, producer, settle } = await workshop(new Tasks().handle)
    await producer.stop()
    workers.subscribe({ to: producer, cancel: 'temporary' })
    await settle()
    const exited = workers.exited
    expect((await workers.inspect()).producers).toEqual([])
    workers.subscribe({ to: producer })
    expect(await exited).toEqual({ type: 'noproc' })
  })
})

describe('the demand of a consumer supervisor', () => {
  it('T162 GS-V5 works off a finite source, and ends when the last child has ended', async () => {
    const { runtime, settle, lines } = watchedRuntime()
    const tasks = new Tasks()
    const workers = start(consumerSupervisor(tasks.handle), {
      runtime,
      subscribeTo: [start(fromIterable(range(0, 3)), { runtime })],
    })
    const done = workers.done
    await settle()
    expect(tasks.events).toEqual([0, 1, 2])
    expect(tasks.calls.some(call => call.task.stopping.aborted)).toBe(false)
    expect((await workers.inspect()).producers).toEqual([])
    for (const call of tasks.calls) call.resolve()
    await done
    expect(lines.map(line => [line.level, line.fields.code])).toEqual([['info', 'stopping_on_cancel']])
  })

  it('GS-V16 a source that has come to its end leaves its children all the time they want, until somebody stops the supervisor', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const tasks = new Tasks()
    const workers = start(consumerSupervisor(tasks.handle), {
      runtime,
      subscribeTo: [start(fromIterable(range(0, 2)), { runtime })],
    })
    await settle()
    await pass(1e6)
    expect(workers.children()).toHaveLength(2)
    const stopped = workers.stop('shutdown')
    await settle()
    expect(tasks.of(0).task.stopping.aborted).toBe(true)
    await pass(5_000)
    expect((await stopped).type).toBe('shutdown')
  })

  it('T164 GS-V7 GS-V8 with max 1, min 0 runs one child at a time', async () => {
    const tasks = new Tasks()
    const { above, send, supervisor: workers, settle } = await workshop(tasks.handle, {}, { maxDemand: 1, minDemand: 0 })
    await send(1, 2, 3)
    expect([tasks.events, demands(above)]).toEqual([[1], [1]])
    tasks.of(1).resolve()
    await settle()
    expect([tasks.events, demands(above)]).toEqual([[1, 2], [1]])
    expect(workers.children()).toHaveLength(1)
  })

  it('T164 GS-V15 a child that was terminated releases its demand', async () => {
    const tasks = new Tasks()
    const options = { shutdown: 'brutal_kill' } as const
    const { send, supervisor: workers, settle, lost } = await workshop(tasks.handle, options, { maxDemand: 1, minDemand: 0 })
    await send(1, 2, 3)
    await workers.terminateChild('child-1')
    await settle()
    expect(tasks.events).toEqual([1, 2])
    expect(lost).toEqual([{ reason: 'killed', events: [1] }])
  })

  it('T165 GS-V8 GS-V13 a child that waits for its restart keeps its demand', async () => {
    const tasks = new Tasks()
    const options = { restart: 'transient', backoff: { minDelayMs: 10, maxDelayMs: 10 } } as const
    const { send, settle, pass, supervisor: workers } = await workshop(tasks.handle, options, { maxDemand: 1, minDemand: 0 })
    await send(1, 2)
    tasks.of(1).reject(new Error('oops'))
    await settle()
    expect(workers.children()).toMatchObject([{ id: 'child-1', state: 'restarting', restarts: 0 }])
    expect(tasks.events).toEqual([1])
    await pass(10)
    expect(tasks.events).toEqual([1, 1])
    tasks.of(1).resolve()
    await settle()
    expect(tasks.events).toEqual([1, 1, 2])
  })

  it('T166 GS-V16 children survive the end of their producer, and nothing is asked any more', async () => {
    const tasks = new Tasks()
    const { producer, above, send, settle, supervisor: workers } = await workshop(tasks.handle, {}, { maxDemand: 2 })
    await send(1, 2)
    await producer.stop()
    await settle()
    expect(workers.children()).toHaveLength(2)
    tasks.of(1).resolve()
    tasks.of(2).resolve()
    await settle()
    expect(workers.children()).toEqual([])
    expect(demands(above)).toEqual([2])
    expect((await workers.inspect()).producers).toEqual([])
  })

  it('T167 X15 with max 3, min 2 each end asks for one', async () => {
    const tasks = new Tasks()
    const { above, send, settle } = await workshop(tasks.handle, {}, { maxDemand: 3, minDemand: 2 })
    await send(...range(1, 7))
    expect(tasks.events).toEqual([1, 2, 3])
    for (const event of [1, 2]) {
      tasks.of(event).resolve()
      await settle()
    }
    expect(tasks.events).toEqual([1, 2, 3, 4, 5])
    tasks.of(3).resolve()
    tasks.of(4).resolve()
    tasks.of(5).resolve()
    await settle()
    expect(tasks.events).toEqual(range(1, 7))
    expect(demands(above)).toEqual([3, 2]) // what the buffer could not serve
  })

  it('T168 X15 with max 3, min 0 and two events asks for more when both have ended, and for what may run', async () => {
    const tasks = new Tasks()
    const { above, send, settle } = await workshop(tasks.handle, {}, { maxDemand: 3, minDemand: 0 })
    await send(1, 2)
    expect(demands(above)).toEqual([3])
    tasks.of(1).resolve()
    await settle()
    expect(demands(above)).toEqual([3])
    tasks.of(2).resolve()
    await settle()
    expect(demands(above)).toEqual([3, 2]) // one of the three has not arrived yet
  })

  it('X15 with max 10, min 2 asks for eight at once when two are left', async () => {
    const tasks = new Tasks()
    const { above, send, settle } = await workshop(tasks.handle, {}, { maxDemand: 10, minDemand: 2 })
    await send(...range(0, 10))
    for (const event of range(0, 7)) {
      tasks.of(event).resolve()
      await settle()
    }
    expect(demands(above)).toEqual([10])
    tasks.of(7).resolve()
    await settle()
    expect(demands(above)).toEqual([10, 8])
  })

  it('X15 keeps maxDemand children running by default', async () => {
    const tasks = new Tasks()
    const { send, settle } = await workshop(tasks.handle, {}, { maxDemand: 10 })
    await send(...range(0, 100))
    for (let event = 0; event < 90; event++) {
      expect(tasks.running).toBe(10)
      tasks.of(event).resolve()
      await settle()
    }
    expect([tasks.most, tasks.events]).toEqual([10, range(0, 100)])
  })

  it('X15 asks in one message for places that fall free together', async () => {
    const tasks = new Tasks()
    const { above, send, settle } = await workshop(tasks.handle, {}, { maxDemand: 4 })
    await send(1, 2, 3, 4)
    for (const call of tasks.calls) call.resolve()
    await settle()
    expect(demands(above)).toEqual([4, 4])
  })

  it('GS-V5 counts each producer apart', async () => {
    const tasks = new Tasks()
    const first = await workshop(tasks.handle, {}, { maxDemand: 2 })
    const { supervisor: workers, runtime, settle } = first
    const second = start(fromIterable(['a', 'b', 'c', 'd', 'e']), { runtime })
    workers.subscribe({ to: second, maxDemand: 3, cancel: 'temporary' })
    await settle()
    await first.send(1, 2, 3)
    expect(tasks.events.toSorted()).toEqual([1, 2, 'a', 'b', 'c'])
    tasks.of('b').resolve()
    await settle()
    expect(tasks.events.slice(5)).toEqual(['d'])
  })

  it('GS-V18 logs events that nobody asked for, and begins a child for each', async () => {
    const { runtime, settle, pass, lines } = watchedRuntime()
    const tasks = new Tasks()
    const peer: RawProducer = new RawProducer(runtime, (message, self) => {
      if (message.type === 'subscribe')
        message.from.post({ type: 'events', from: self, subscription: message.subscription, events: [1, 2, 3, 4, 5] })
    })
    start(consumerSupervisor(tasks.handle), { runtime, subscribeTo: [{ to: peer.ref, maxDemand: 3 }] })
    await settle()
    expect(tasks.events).toEqual([1, 2, 3, 4, 5])
    expect(lines.map(line => [line.level, line.fields.code, line.fields['n']])).toEqual([['error', 'excess', 2]])
    const asks = (): readonly unknown[] => peer.received.filter(([type]) => type === 'ask').map(([, demand]) => demand)
    expect(asks()).toEqual([3])
    for (const event of [1, 2]) tasks.of(event).resolve()
    await settle()
    expect(asks()).toEqual([3])
    tasks.of(3).resolve()
    await settle()
    expect(asks()).toEqual([3, 1])
    const stopped = runtime.stop({ timeout: 0 })
    await pass(0)
    await stopped
  })

  it('works off functions that return no promise at once, and asks for all of them again', async () => {
    const seen: Item[] = []
    const { above, send, supervisor: workers } = await workshop(event => seen.push(event), {}, { maxDemand: 3 })
    await send(...range(0, 10))
    expect(seen).toEqual(range(0, 10))
    expect(workers.children()).toEqual([])
    expect(demands(above)).toEqual([3, 2, 1]) // of the last three asked for, two and then one more were not in the buffer
  })
})

describe('children begun by hand', () => {
  it('T137 GS-V9 startChild begins a child that belongs to no producer, and counts for no demand', async () => {
    const tasks = new Tasks()
    const { above, send, settle, supervisor: workers } = await workshop(tasks.handle, {}, { maxDemand: 1 })
    await send(1)
    const info = await workers.startChild(2)
    expect(info).toEqual({ id: 'child-2', ref: undefined, state: 'running', restarts: 0 })
    expect(tasks.events).toEqual([1, 2])
    tasks.of(2).resolve()
    await settle()
    expect(demands(above)).toEqual([1])
    expect(workers.children().map(({ id }) => id)).toEqual(['child-1'])
  })

  it('T137 GS-V9 says that a child which returned at once has stopped', async () => {
    const { supervisor: workers } = await workshop(() => {})
    expect(await workers.startChild(1)).toMatchObject({ state: 'stopped' })
  })

  it('T138 GS-V9 a function that throws harms nobody', async () => {
    const {
      supervisor: workers,
      codes,
      settle,
    } = await workshop(() => {
      throw new Error('oops')
    })
    expect(await workers.startChild(1)).toMatchObject({ id: 'child-1' })
    await settle()
    expect(codes()).toEqual(['child_failed'])
    expect(workers.children()).toEqual([])
  })

  it('T152 T153 GS-V15 terminateChild refuses an id that nobody has, or not any more', async () => {
    const tasks = new Tasks()
    const { supervisor: workers, settle } = await workshop(tasks.handle)
    const { id } = await workers.startChild(1)
    const terminated = workers.terminateChild(id)
    await settle()
    expect(tasks.of(1).task.stopping.aborted).toBe(true)
    tasks.of(1).resolve()
    await terminated
    expect(await rejectionOf(workers.terminateChild(id))).toMatchObject(refusal('UNKNOWN_CHILD', undefined, 'child-1'))
    expect(thrownBy(() => workers.terminateChild(wrong(1)))).toMatchObject(refusal('BAD_OPTION', 'id'))
  })

  it('rejects with STOPPED after the end', async () => {
    const { supervisor: workers } = await workshop(() => {})
    await workers.stop()
    expect(await rejectionOf(workers.startChild(1))).toMatchObject(refusal('STOPPED', undefined))
    expect(await rejectionOf(workers.terminateChild('child-1'))).toMatchObject(refusal('STOPPED', undefined))
    expect(workers.children()).toEqual([])
  })

  it('GS-V13 lists children oldest first', async () => {
    const tasks = new Tasks()
    const { supervisor: workers, send, settle } = await workshop(tasks.handle)
    await send(...range(0, 5))
    tasks.of(1).resolve()
    tasks.of(2).resolve()
    await settle()
    expect(workers.children().map(({ id }) => id)).toEqual(['child-1', 'child-4', 'child-5'])
  })
})
