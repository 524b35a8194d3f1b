import { setTimeout as sleep } from 'node:timers/promises'
import type { PlannedJob } from './child/commands.ts'
import { Field, type FieldOptions } from './field.ts'
import { between, type Context, groupsOf, inLanes, uuid } from './scenario.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'

/** How a fault is repeated while jobs run. */
export interface LoadOptions {
  /** Rounds at once. */
  readonly lanes?: number
  /** Rounds on one store, before all of it is checked and a new one is made. */
  readonly roundsPerField?: number
  readonly field?: FieldOptions
  /** Jobs that are to wait at any time, so that whoever is struck has something to do. Default 150. */
  readonly backlog?: number
  /** What is to be checked when all has been done. */
  readonly atEnd?: (field: Field) => Promise<void>
  readonly jobs?: (random: () => number, count: number) => readonly PlannedJob[]
}

/** Jobs survive so many deaths: nobody is to fail because chance has hit the same job again and again. */
export const hardy = { crashLimit: 1_000 } as const

/** Repeats a fault on stores where a spared runner works through jobs that keep coming. Checks after each round, and all at the end. */
export async function underLoad(
  context: Context,
  options: LoadOptions,
  strike: (field: Field, round: number) => Promise<void>,
): Promise<Tally> {
  const tally = emptyTally()
  const { lanes = 3, roundsPerField = 50 } = options
  for (const [index, rounds] of groupsOf(context.rounds, roundsPerField).entries()) {
    if (context.signal.aborted) break
    // With jobs claimed ahead, and without in turn
    const field = new Field(context, { maxPrefetch: index % 2 === 0 ? 20 : 0, ...options.field })
    try {
      const feeder = await begin(field, context, options)
      await inLanes(rounds, lanes, async round => {
        if (context.signal.aborted) return
        await strike(field, round)
        await field.check()
        context.passed()
      })
      await feeder.end()
      const total = await field.finish()
      await options.atEnd?.(field)
      addTally(tally, total)
    } finally {
      await field.close()
    }
  }
  return tally
}

async function begin(
  field: Field,
  { random, signal }: Context,
  { backlog = 150, jobs = workload }: LoadOptions,
): Promise<{ end(): Promise<void> }> {
  const fill = async (): Promise<void> => {
    const missing = backlog - (await field.client.queueDepth('default'))
    if (missing > 0) await field.enqueue(jobs(random, missing))
  }
  await fill()
  await field.runner(hardy).ready
  let isOver = false
  const feeding = (async () => {
    while (!isOver && !signal.aborted) {
      await fill()
      await sleep(20)
    }
  })()
  // Who strikes sees when it fails; nobody awaits it before the end
  feeding.catch(() => {})
  return {
    async end() {
      isOver = true
      await feeding
    },
  }
}

/** Jobs that are done at once, that take a while, that fail at first, that enqueue others. */
export function workload(random: () => number, count: number): readonly PlannedJob[] {
  return Array.from({ length: count }, (): PlannedJob => {
    const id = uuid(random)
    const chance = random()
    if (chance < 0.1) return { id, kind: 'again', args: { failures: between(random, 1, 2) } }
    if (chance < 0.2) return { id, kind: 'work', args: { ms: 0, next: [uuid(random), uuid(random)] } }
    if (chance < 0.3) return { id, kind: 'work', args: { ms: between(random, 20, 50) } }
    if (chance < 0.6) return { id, kind: 'work', args: { ms: between(random, 1, 4) } }
    return { id, kind: 'work', args: { ms: 0 } }
  })
}
