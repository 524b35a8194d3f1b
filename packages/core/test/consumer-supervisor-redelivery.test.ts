import { consumer, consumerSupervisor, fromIterable, start, type Runtime } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { watchedRuntime } from './support/watched-runtime.ts'

/** Events that telemetry reported as given up, by reason. */
function lossesOf(runtime: Runtime) {
  const lost: [reason: string, events: readonly unknown[]][] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => void lost.push([reason, events]))
  return lost
}

/** A source of numbers, tasks that hold on to the ones that are listed, and a consumer that comes later. */
function openOffice(held: readonly number[], options: Parameters<typeof consumerSupervisor>[1] = {}) {
  const world = watchedRuntime()
  const { runtime, settle } = world
  const lost = lossesOf(runtime)
  const done: number[] = []
  const source = start(fromIterable([1, 2, 3, 4, 5, 6]), { runtime, demand: 'accumulate' })
  const Tasks = consumerSupervisor(
    (event: number) => (held.includes(event) ? new Promise<void>(() => {}) : void done.push(event)),
    {
      shutdown: 'brutal_kill',
      ...options,
    },
  )
  const tasks = start(Tasks, { runtime, subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 3, redeliver: true }] })
  const rest = async (): Promise<(readonly [readonly number[], number])[]> => {
    const got: (readonly [readonly number[], number])[] = []
    const Rest = consumer(() => ({
      handleEvents(events: readonly number[], { redeliveries }) {
        got.push([events, redeliveries])
      },
    }))
    start(Rest, { runtime, subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 10, minDemand: 0 }] })
    await settle()
    return got
  }
  return { ...world, lost, done, source, tasks, rest }
}

describe('a consumer supervisor with redeliver', () => {
  it('X21 INV-6 gives back the events of the tasks that run when it is killed, in the order in which they came', async () => {
    const { source, tasks, settle, rest, lost, done } = openOffice([1, 3, 4])
    source.setDemandMode('forward')
    await settle()
    expect(done).toEqual([2])
    await tasks.kill()
    expect(await rest()).toEqual([
      [[1, 3, 4], 1],
      [[5, 6], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 INV-6 gives back what a stop does not wait for', async () => {
    const { source, tasks, settle, rest, lost, done } = openOffice([2, 3, 4])
    source.setDemandMode('forward')
    await settle()
    expect(done).toEqual([1])
    await tasks.stop()
    expect(await rest()).toEqual([
      [[2, 3, 4], 1],
      [[5, 6], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 GS-V12 gives back the event that was too much for it', async () => {
    const { runtime, settle } = watchedRuntime()
    const lost = lossesOf(runtime)
    const source = start(fromIterable([1, 2]), { runtime, demand: 'accumulate' })
    const Tasks = consumerSupervisor(
      async (event: number) => {
        if (event === 1) throw new Error('poison')
      },
      { restart: 'transient', maxRestarts: 1 },
    )
    const tasks = start(Tasks, {
      runtime,
      subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 1, redeliver: { limit: 1 } }],
    })
    source.setDemandMode('forward')
    await settle()
    expect((await tasks.exited).type).toBe('shutdown')
    await settle()
    // Delivered once, which is all that the limit allows
    expect(lost).toEqual([['redelivery_limit', [1]]])
  })

  it('X21 GS-V15 a task that is ended by hand does not go back, for the supervisor lives on', async () => {
    const { source, tasks, settle, lost, rest } = openOffice([1])
    source.setDemandMode('forward')
    await settle()
    const [child] = tasks.children()
    await tasks.terminateChild(child?.id ?? '')
    expect(lost).toEqual([['killed', [1]]])
    expect(await rest()).toEqual([])
  })

  it('X21 INV-6 reports what cannot go back, because the source has gone before', async () => {
    const { source, tasks, settle, lost } = openOffice([1, 2])
    source.setDemandMode('forward')
    await settle()
    await source.kill()
    await settle()
    await tasks.kill()
    expect(lost).toContainEqual(['killed', [1, 2]])
  })
})
