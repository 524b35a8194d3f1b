import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../child-process.ts'
import type { PlannedJob } from '../child/commands.ts'
import { Field } from '../field.ts'
import { between, type Context, inLanes, type Scenario, uuid } from '../scenario.ts'
import { emptyTally } from '../tally.ts'
import { underLoad, workload } from '../under-load.ts'

/** Two signals closer to one another are one, as a terminal and npm send it. */
const apartMs = 250
/** From the first signal to the exit, beyond the grace. */
const exitMs = 3_000
const graceMs = 300
/** A claim that is under way when the signal comes is no claim after it. */
const underWayMs = 500

/** F37: an orderly end at any time. */
export const stopping: Scenario = {
  id: 'F37',
  fault: 'SIGTERM at a random time, while starting, twice; stop three times during the start',
  rounds: 200,
  leastRounds: 8,
  async run(context) {
    const { random } = context
    const jobs = (_: () => number, count: number): readonly PlannedJob[] =>
      workload(random, count).map(job =>
        random() < 0.2 ? { id: job.id, kind: 'patient', args: { ms: between(random, 50, 400) } } : job,
      )
    const tally = await underLoad(context, { jobs, backlog: 60, atEnd: countNoCrash }, async (field, round) => {
      switch (round % 4) {
        case 0:
          return stopsAtOnce(field)
        case 1:
          return signalled(field, context, 2)
        default:
          return signalled(field, context, 1)
      }
    })
    return { tally, seen: 'ended with 0 in its grace; what was cut off has used up no attempt' }
  },
}

async function signalled(field: Field, { random }: Context, signals: 1 | 2): Promise<void> {
  const child = field.runner({ graceMs: signals === 2 ? 20_000 : graceMs, abandonMs: 200 })
  // One in four while it starts
  const isStarting = random() < 0.25
  if (!isStarting) await child.ready
  await sleep(between(random, 0, isStarting ? 80 : 200))
  const at = process.hrtime.bigint()
  const begun = performance.now()
  child.signal('SIGTERM')
  if (signals === 2) {
    await sleep(apartMs)
    child.signal('SIGTERM')
  }
  const { code, signal } = await child.exited
  const ms = performance.now() - begun
  // Before the runner listens for signals, and when it has stopped, a signal ends the process as always: it has nothing then
  const isBeside = signal === 'SIGTERM' && (isStarting || signals === 2)
  if ((code !== 0 && !isBeside) || ms > graceMs + exitMs)
    field.books.violated('JOB-9', `SIGTERM: ended with ${code ?? signal} after ${Math.round(ms)} ms ${child.errors}`)
  field.read()
  const late = field.lines.find(
    line => line.pid === child.pid && line.event === 'claimed' && Number(line.at - at) / 1e6 > underWayMs,
  )
  if (late !== undefined) field.books.violated('JOB-9', `job ${late.job} was claimed long after SIGTERM`)
}

async function stopsAtOnce(field: Field): Promise<void> {
  const child: Child = field.runner({}, { stopsAtOnce: 3 })
  const { code, signal } = await child.exited
  if (code !== 0) field.books.violated('JOB-9', `three stops during the start: ended with ${code ?? signal} ${child.errors}`)
}

/** A stop is no death: nothing is counted as a crash. */
async function countNoCrash(field: Field): Promise<void> {
  let before: number | undefined
  do {
    const page = await field.store.list({ limit: 1_000, before })
    for (const { id, crashes } of page.jobs)
      if (crashes !== 0) field.books.violated('JOB-9', `job ${id} has ${crashes} crashes, and nobody died`)
    before = page.next
  } while (before !== undefined)
}

const cyclesEach = 100

/** F38: what is started and stopped leaves nothing behind (INV-21). */
export const cycles: Scenario = {
  id: 'F38',
  fault: 'runners and clients started and stopped, 100 times in each process',
  rounds: 2_000,
  leastRounds: 4,
  async run(context) {
    const tally = emptyTally()
    const each = Math.min(cyclesEach, Math.ceil(context.rounds / 2))
    let heapMb = 0
    const field = new Field(context, { isKept: false })
    try {
      await inLanes(Math.ceil(context.rounds / each), 2, async () => {
        const child = field.spawn({}, { execArgv: ['--expose-gc'] })
        await child.ready
        const { before, after } = await child.ask('cycles', join(context.folder, `${uuid(context.random)}.db`), each)
        heapMb = Math.max(heapMb, after.heapMb - before.heapMb)
        for (const what of ['files', 'resources', 'listeners'] as const)
          if (after[what] > before[what])
            tally.violations.push(`INV-21: after ${each} cycles there are ${after[what]} ${what}, before ${before[what]}`)
        await child.kill()
        for (let cycle = 0; cycle < each; cycle++) context.passed()
      })
    } finally {
      await field.close()
    }
    return {
      tally,
      seen: `no file, timer, thread or listener left; the heap grew by ${heapMb.toFixed(1)} MB at most`,
      rounds: Math.ceil(context.rounds / each) * each,
    }
  },
}
