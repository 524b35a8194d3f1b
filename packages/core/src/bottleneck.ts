import type { Edge, Topology, TopologyStage } from './refs.ts'

type Picture = Pick<Topology, 'stages' | 'edges'>

/** How a stage, or a reader, stood in one picture, or on average in several. */
interface Load {
  /** Whether it had work and was wanted, from 0 to 1: on average the share of the time in which it was busy. */
  readonly busy: number
  /** How full it was above, less how full below, from -1 to 1. */
  readonly excess: number
  readonly isSource: boolean
}

/**
 * The stages that hold their pipelines up: for each pipeline, which is all that subscriptions join, the stage that is busy most of
 * the time. A stage is busy when events have arrived that it has not handled, while consumers below wait for its events. Between two
 * that are equally busy, the one decides that has more of what it asked for above, and less of it handed on below.
 *
 * One picture is a moment, in which a quick stage may happen to be busy. Give several, taken some milliseconds apart: the last one
 * says which stages there are, all of them together how busy these were.
 *
 * A source is taken to have work always, so it is named when everything waits for it, be it slow or without events. Where a reader
 * holds up its pipeline, none of its stages is named.
 *
 * ```ts
 * const numbers = start(fromIterable(Array.from({ length: 10_000 }, (_, n) => n)), { name: 'numbers' })
 * const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
 * const Slow = consumer(() => ({
 *   async handleEvents(_batch: readonly number[]) {
 *     await pause(10)
 *   },
 * }))
 * start(Slow, { name: 'slow', subscribeTo: [numbers] })
 * const pictures: Topology[] = []
 * for (let n = 0; n < 10; n++) {
 *   await pause(5)
 *   pictures.push(defaultRuntime.topology())
 * }
 * console.log(bottlenecks(...pictures).map(stage => stage.name).join()) // => slow
 * ```
 */
export function bottlenecks(...pictures: readonly Picture[]): readonly TopologyStage[] {
  const last = pictures.at(-1)
  if (last === undefined) return []
  const whole = wholesOf(pictures)
  const seen = new Map<string, Load[]>()
  for (const picture of pictures) {
    for (const [id, load] of loadsOf(picture, whole)) add(seen, id, load)
  }
  const mean = new Map([...seen].map(([id, loads]) => [id, meanOf(loads)]))
  const worst = new Set(
    pipelinesOf(last.edges).map(ids => ids.reduce((worse, id) => (isMore(mean.get(id), mean.get(worse)) ? id : worse))),
  )
  return last.stages.filter(({ id }) => worst.has(id))
}

/** The most that each subscription was seen to have asked for and not handled: an ask that nobody has read yet is in no figure. */
function wholesOf(pictures: readonly Picture[]): ReadonlyMap<string, number> {
  const wholes = new Map<string, number>()
  for (const { subscription, demand, inFlight } of pictures.flatMap(picture => picture.edges)) {
    wholes.set(subscription, Math.max(demand + inFlight, wholes.get(subscription) ?? 0))
  }
  return wholes
}

/** An edge in one picture. */
interface Moment {
  readonly edge: Edge
  /** How much of the whole has arrived, from 0 to 1. */
  readonly fill: number
  /** Whether the consumer waits for events. */
  readonly isWanted: boolean
}

function loadsOf({ stages, edges }: Picture, whole: ReadonlyMap<string, number>): ReadonlyMap<string, Load> {
  const unread = new Set(stages.filter(({ mailbox }) => mailbox > 0).map(({ id }) => id))
  const above = new Map<string, Moment[]>()
  const below = new Map<string, Moment[]>()
  for (const edge of edges) {
    const moment = momentOf(edge, whole.get(edge.subscription) ?? 0, unread.has(edge.producer))
    add(above, edge.consumer, moment)
    add(below, edge.producer, moment)
  }
  const ids = new Set([...below.keys(), ...above.keys()])
  return new Map([...ids].map(id => [id, loadOf(above.get(id) ?? [], below.get(id) ?? [])]))
}

function momentOf(edge: Edge, whole: number, isProducerBusy: boolean): Moment {
  const { demand, inFlight } = edge
  // Where less is open than can be, the rest may be an ask in the mailbox of the producer
  const isWanted = demand > 0 || (isProducerBusy && (inFlight === 0 || inFlight < whole))
  // A consumer that has asked for nothing and has nothing wants nothing now, and waits for nobody
  if (demand + inFlight === 0) return { edge, fill: isWanted ? 0 : 1, isWanted }
  return { edge, fill: inFlight / whole, isWanted }
}

function loadOf(above: readonly Moment[], below: readonly Moment[]): Load {
  const isSource = above.length === 0
  const isSink = below.length === 0
  const hasWork = isSource || above.some(({ edge, fill }) => edge.inFlight > 0 || fill === 1)
  // How much one consumer that wants nothing holds up depends on the dispatcher: here all consumers count alike
  const wanted = isSink ? 1 : sum(below.map(({ isWanted }) => Number(isWanted))) / below.length
  const fullness = isSource ? 1 : Math.max(...above.map(({ fill }) => fill))
  const passedOn = isSink ? 0 : sum(below.map(({ fill }) => fill)) / below.length
  return { busy: hasWork ? wanted : 0, excess: fullness - passedOn, isSource }
}

function meanOf(loads: readonly Load[]): Load {
  return {
    busy: sum(loads.map(({ busy }) => busy)) / loads.length,
    excess: sum(loads.map(({ excess }) => excess)) / loads.length,
    isSource: loads.at(-1)?.isSource === true,
  }
}

function isMore(load: Load | undefined, than: Load | undefined): boolean {
  if (load === undefined || than === undefined) return load !== undefined
  if (load.busy !== than.busy) return load.busy > than.busy
  if (load.excess !== than.excess) return load.excess > than.excess
  // That a source has work is an assumption, what another stage has before it is a fact
  return than.isSource && !load.isSource
}

/** The ids of everything that subscriptions join, set by set. */
function pipelinesOf(edges: readonly Edge[]): readonly (readonly string[])[] {
  const neighbours = new Map<string, string[]>()
  for (const { producer, consumer } of edges) {
    add(neighbours, producer, consumer)
    add(neighbours, consumer, producer)
  }
  const seen = new Set<string>()
  const pipelines: (readonly string[])[] = []
  for (const first of neighbours.keys()) {
    if (seen.has(first)) continue
    const pipeline = new Set([first])
    // The set grows while it is walked through
    for (const id of pipeline) for (const neighbour of neighbours.get(id) ?? []) pipeline.add(neighbour)
    for (const id of pipeline) seen.add(id)
    pipelines.push([...pipeline])
  }
  return pipelines
}

function add<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
