/** A supervisor in any order of messages, while children fail, are slow, and are started and ended by hand. */
import { child, ignore, producer, start, supervisor } from '@genstage/core'
import type { Restart, Shutdown, Strategy, SupervisorRef } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** What the setup of one life does, and what becomes of that life. */
type Life = 'fine' | 'throws' | 'ignores' | 'slow' | 'never'

interface ChildPlan {
  readonly restart: Restart
  readonly shutdown: Shutdown
  /** By life; those after the last are fine. */
  readonly lives: readonly Life[]
  readonly end: 'at once' | 'slow' | 'never' | 'throws'
}

type Command = 'crash' | 'finish' | 'kill' | 'terminate' | 'restart' | 'delete' | 'add' | 'wait'

interface Plan {
  readonly strategy: Strategy
  readonly maxRestarts: number
  readonly delayMs: number
  readonly children: readonly ChildPlan[]
  readonly commands: readonly { readonly command: Command; readonly child: number }[]
  readonly end: 'stop' | 'kill' | 'drain' | 'timeout'
}

const childPlan: fc.Arbitrary<ChildPlan> = fc.record({
  restart: fc.constantFrom<Restart>('permanent', 'permanent', 'transient', 'temporary'),
  shutdown: fc.constantFrom<Shutdown>(5_000, 20, 'infinity', 'brutal_kill'),
  lives: fc.array(fc.constantFrom<Life>('fine', 'fine', 'fine', 'throws', 'ignores', 'slow', 'never'), { maxLength: 4 }),
  end: fc.constantFrom('at once', 'at once', 'slow', 'never', 'throws'),
})

const plan: fc.Arbitrary<Plan> = fc.record({
  strategy: fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
  maxRestarts: fc.constantFrom(0, 1, 3, 10),
  delayMs: fc.constantFrom(0, 0, 30),
  children: fc.array(childPlan, { minLength: 1, maxLength: 5 }),
  commands: fc.array(
    fc.record({
      command: fc.constantFrom<Command>('crash', 'crash', 'finish', 'kill', 'terminate', 'restart', 'delete', 'add', 'wait'),
      child: fc.nat(5),
    }),
    { maxLength: 12 },
  ),
  end: fc.constantFrom('stop', 'kill', 'drain', 'timeout'),
})

/** Runs a plan, and throws for what must not be. */
async function run({ strategy, maxRestarts, delayMs, children, commands, end }: Plan, seed: number): Promise<void> {
  const simulation = new Simulation({ seed })
  const { runtime, clock, random } = simulation
  /** Lives that are under way, by id: from the setup to the exit. */
  const alive = new Map<string, number>()
  const order: string[] = []
  const change = (id: string, by: number) => {
    const lives = (alive.get(id) ?? 0) + by
    alive.set(id, lives)
    expect(lives === 0 || lives === 1).toBe(true)
  }
  const named = new Map<string, string>()
  runtime.telemetry.on('exited', ({ stage }) => {
    const id = named.get(stage)
    if (id !== undefined) change(id, -1)
  })
  const specOf = (id: string, { restart, shutdown, lives, end: how }: ChildPlan) => {
    const Child = producer(async (_: void, ctx) => {
      named.set(ctx.self.id, id)
      change(id, 1)
      if (ctx.restartCount === 0) order.push(id)
      const life = lives[ctx.restartCount] ?? 'fine'
      if (life === 'throws') throw new Error(`setup of ${id}`)
      if (life === 'slow') await simulation.delay(10)
      if (life === 'never') await new Promise(() => {})
      if (life === 'ignores') return ignore
      return {
        handleDemand() {},
        handleCast(order: 'crash' | 'finish') {
          if (order === 'crash') throw new Error(`crash of ${id}`)
          ctx.stop()
        },
        async terminate() {
          if (how === 'slow') await simulation.delay(10)
          if (how === 'never') await new Promise(() => {})
          if (how === 'throws') throw new Error(`end of ${id}`)
        },
      }
    })
    return child(Child, { id, name: id, restart, shutdown, startTimeout: 200 })
  }
  const options = {
    strategy,
    maxRestarts,
    maxSeconds: 1,
    ...(delayMs > 0 ? { backoff: { minDelayMs: delayMs, maxDelayMs: 4 * delayMs } } : {}),
  }
  const App = supervisor(
    children.map((each, index) => specOf(`c${index}`, each)),
    options,
  )
  const root: SupervisorRef<object> = start(App, { runtime, name: 'root' })
  const promises: Promise<unknown>[] = [root.exited, root.ready.catch(() => {})]
  let settled = 0
  const noted = (promise: Promise<unknown>) => {
    promises.push(
      promise.then(
        () => settled++,
        (error: unknown) => {
          settled++
          expect(error).toMatchObject({ name: 'GenStageError' })
        },
      ),
    )
  }
  let asked = 0
  let added = children.length
  for (const { command, child: index } of commands) {
    for (let steps = Math.floor(random() * 30); steps > 0; steps--) if (!simulation.step()) await simulation.flush()
    const infos = root.children()
    const info = infos[index % Math.max(1, infos.length)]
    const id = info?.id ?? 'c0'
    const ref = info?.ref as unknown as { cast(order: string): void; kill(): Promise<unknown> } | undefined
    if (command === 'crash' || command === 'finish') ref?.cast(command)
    if (command === 'kill') void ref?.kill()
    if (command === 'wait') await simulation.advance(Math.floor(random() * 400))
    asked += Number(command === 'terminate' || command === 'restart' || command === 'delete' || command === 'add')
    if (command === 'terminate') noted(root.terminateChild(id))
    if (command === 'restart') noted(root.restartChild(id))
    if (command === 'delete') noted(root.deleteChild(id))
    const template = children[index % children.length]
    if (command === 'add' && template !== undefined) noted(root.startChild(specOf(`c${added++}`, template)))
  }
  await simulation.run()
  if (runtime.whereis('root') !== undefined && children.every(each => each.shutdown !== 'infinity')) {
    // At rest every child is up, or down for good, and every command has been answered
    for (const { id, state, ref } of root.children()) {
      expect(['running', 'stopped']).toContain(state)
      expect(ref === undefined).toBe(state === 'stopped')
      expect(alive.get(id) ?? 0).toBe(state === 'running' ? 1 : 0)
      expect(runtime.whereis(id)).toBe(ref)
    }
    expect(settled).toBe(asked)
  }
  if (end === 'kill') void root.kill()
  else if (end === 'timeout') void root.stop('normal', { timeout: 5 })
  else void root.stop('shutdown', { drain: end === 'drain' })
  await simulation.run()
  // What has all the time it wants, and takes it, has to be killed
  void root.kill()
  await simulation.run()
  await Promise.all(promises)
  expect(settled).toBe(asked)
  expect(runtime.topology().stages).toEqual([])
  expect([...alive.values()].every(lives => lives === 0)).toBe(true)
  expect(clock.pending).toBe(0)
  expect(simulation.uncaught).toEqual([])
  expect(root.children().every(({ state, ref }) => state === 'stopped' && ref === undefined)).toBe(true)
  // First lives begin in the order of the list
  if (strategy !== 'one_for_one') expect(order).toEqual(order.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))))
  // INV-20
  const times = simulation.log.filter(({ fields }) => fields['code'] === 'restarting').map(({ at }) => at)
  for (const from of times) expect(times.filter(at => at >= from && at <= from + 1_000).length).toBeLessThanOrEqual(maxRestarts)
}

describe('any supervisor', () => {
  it(
    'INV-20 INV-21 restarts within its intensity, comes to rest, answers every command, and leaves nothing behind',
    { timeout: 120_000 },
    async () => {
      await fc.assert(fc.asyncProperty(plan, fc.nat(), run), { numRuns: 1_000, seed: 20 })
    },
  )
})
