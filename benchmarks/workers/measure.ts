import { createRuntime, producer, start } from '@genstage/core'
import { onThread } from '@genstage/workers'
import { calibrate } from '../harness/calibrate.ts'
import type { Cell } from '../harness/cell-request.ts'
import { WrongChecksum } from '../harness/measure-rate.ts'
import { collectGarbage } from '../harness/stopwatch.ts'
import { Adder } from './stages.ts'
import { eventsOf, expectedOf, type Workload, workloads } from './workloads.ts'

/** What the runs of one process should be like. */
export interface WorkersSettings {
  /** By the wall clock: several threads work at once. */
  readonly targetMs: number
  readonly runs: number
}

/** The counted runs of one process: what went through in a run, and how long each took. */
export interface WorkersFigures {
  readonly count: number
  readonly wallMs: readonly number[]
}

/** How the work is spread: `0@2` is this thread with two batches under way, `2@16` two threads with sixteen each. */
const peerPattern = /^(\d+)@(\d+)$/

/** Measures one cell in this process. */
export async function measure({
  peer,
  workload: id,
  settings,
}: Cell & { readonly settings: WorkersSettings }): Promise<WorkersFigures> {
  const [, threads, batches] = peerPattern.exec(peer) ?? []
  const workload = workloads[id]
  if (workload === undefined || threads === undefined) throw new Error(`no cell ${peer} of ${id}`)
  const run = await consumersOf(workload, Number(threads), Number(batches))
  const time = async (count: number): Promise<number> => {
    const begun = performance.now()
    const sum = await run(count)
    const wallMs = performance.now() - begun
    const expected = expectedOf(workload, count)
    if (sum !== expected) throw new WrongChecksum(count, sum, expected)
    return wallMs
  }
  const elapsed = async (count: number) => {
    const wallMs = await time(count)
    return { processorMs: wallMs, wallMs }
  }
  const count = await calibrate(elapsed, { targetMs: settings.targetMs, step: workload.batch, most: 1e9 })
  await time(count)
  const wallMs: number[] = []
  while (wallMs.length < settings.runs) {
    collectGarbage()
    wallMs.push(await time(count))
  }
  return { count: count * workload.weight, wallMs }
}

/** Starts the consumers once, for all runs. A run is a source of its own. */
async function consumersOf(workload: Workload, threads: number, batches: number): Promise<(count: number) => Promise<number>> {
  const runtime = createRuntime({ logger: { debug() {}, info() {}, warn: console.warn, error: console.error } })
  const conditions = process.execArgv.filter(flag => flag.startsWith('--conditions'))
  const worker = { execArgv: [...conditions, '--import', new URL('./typescript.mjs', import.meta.url).href] }
  const module = new URL('./stages.ts', import.meta.url)
  const OnThread = onThread<typeof Adder>(module, { export: 'Adder', type: 'consumer', worker, ...workload.options })
  const definition = threads === 0 ? Adder : OnThread
  const consumers = Array.from({ length: Math.max(1, threads) }, () => start(definition, { runtime, arg: workload.kind }))
  await Promise.all(consumers.map(each => each.ready))
  const demand = { maxDemand: batches * workload.batch, minDemand: (batches - 1) * workload.batch }

  const Source = producer((count: number, ctx) => {
    let next = 0
    return {
      handleDemand(asked) {
        const first = next
        next = Math.min(count, next + asked)
        if (next === count) ctx.stop()
        return eventsOf(workload, first, next - first)
      },
    }
  })
  return async count => {
    const source = start(Source, { runtime, arg: count, demand: 'accumulate' })
    const links = consumers.map(each => each.subscribe({ to: source, ...demand, cancel: 'temporary' }))
    await Promise.all(links.map(link => link.accepted))
    source.setDemandMode('forward')
    await Promise.all(links.map(link => link.ended))
    const sums = await Promise.all(consumers.map(each => each.call('sum', { timeout: Infinity })))
    return sums.reduce((sum, each) => sum + each, 0)
  }
}
