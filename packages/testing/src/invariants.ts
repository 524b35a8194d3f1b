import type { Edge, Inspection, Runtime } from '@genstage/core'
import type { Ledger, StageRecord } from './ledger.ts'
import { plannedPartition } from './topology-plan.ts'

/** A rule that must hold; answers what is wrong. */
export type Invariant = (ledger: Ledger) => readonly string[]

/** INV-1, INV-2, INV-3: nobody is sent more than it asked for, and demand stays a whole number within its bounds. After every step. */
export function checkDemand(ledger: Ledger, runtime: Runtime): readonly string[] {
  const wrong: string[] = []
  for (const { subscription, demand, inFlight, delivered } of runtime.topology().edges) {
    const record = ledger.subscriptions.get(subscription)
    if (!Number.isSafeInteger(demand) || demand < 0) wrong.push(`INV-3: demand of ${subscription} is ${demand}`)
    if (record === undefined || record.selective) continue
    if (delivered > record.asked) wrong.push(`INV-1: ${subscription} asked for ${record.asked} and was sent ${delivered}`)
    if (!record.manual && demand + inFlight > record.maxDemand + record.extra) {
      wrong.push(`INV-2: ${subscription} has ${demand} open and ${inFlight} in flight, above maxDemand ${record.maxDemand}`)
    }
  }
  return wrong
}

/** INV-5: each consumer sees a subsequence of what its producer emitted, in the order of emission. */
export const checkOrder: Invariant = ledger =>
  [...ledger.subscriptions.values()].flatMap(({ id, producer, seen }) => {
    if (seen.length === 0) return []
    const { name, emitted, called, accumulated } = ledger.stage(producer)
    const place = new Map(emitted.map((event, index) => [event, index]))
    const stray = seen.find(event => !place.has(event))
    if (stray !== undefined) return [`INV-5: ${id} got ${stray}, which ${name} never emitted`]
    const sequences = accumulated ? [seen.filter(event => called.has(event)), seen.filter(event => !called.has(event))] : [seen]
    return sequences.flatMap(sequence => {
      const early = sequence.find(
        (event, index) => index > 0 && (place.get(event) ?? 0) <= (place.get(sequence[index - 1] ?? -1) ?? 0),
      )
      return early === undefined ? [] : [`INV-5: ${id} got ${early} out of order`]
    })
  })

/** INV-6: what was emitted was handled, or reported as given up; by id, and at the end of everything. */
export const checkConservation: Invariant = ledger => [...ledger.stages.values()].flatMap(stage => conservationOf(stage, ledger))

function conservationOf(stage: StageRecord, ledger: Ledger): readonly string[] {
  if (stage.type === 'consumer' || stage.dispatcher === 'broadcast') return []
  const fate = new Map(stage.emitted.map(event => [event, 0]))
  const count = (event: number): void => {
    const times = fate.get(event)
    if (times !== undefined) fate.set(event, times + 1)
  }
  for (const { producer, handled } of ledger.subscriptions.values()) if (producer === stage.id) handled.forEach(count)
  for (const { discarded } of ledger.stages.values()) for (const { events } of discarded) events.forEach(count)
  const lost = [...fate].filter(([, times]) => times === 0).map(([event]) => event)
  const twice = [...fate].filter(([, times]) => times > 1).map(([event]) => event)
  return [
    ...(lost.length > 0 ? [`INV-6: ${lost.length} events of ${stage.name} vanished: ${lost.slice(0, 5).join(', ')}`] : []),
    ...(twice.length > 0
      ? [`INV-6: ${twice.length} events of ${stage.name} were accounted for twice: ${twice.slice(0, 5).join(', ')}`]
      : []),
  ]
}

/** INV-7: demand and partition dispatchers deliver no event twice. */
export const checkOnce: Invariant = ledger =>
  [...ledger.stages.values()].flatMap(stage => {
    if (stage.dispatcher !== 'demand' && stage.dispatcher !== 'partition') return []
    const seen = [...ledger.subscriptions.values()].filter(({ producer }) => producer === stage.id).flatMap(each => each.seen)
    return new Set(seen).size === seen.length ? [] : [`INV-7: an event of ${stage.name} was delivered twice`]
  })

/** INV-8: in a broadcast each consumer gets, from its first event to its last, all that match its selector and were not given up. */
export const checkBroadcast: Invariant = ledger =>
  [...ledger.subscriptions.values()].flatMap(subscription => {
    if (subscription.seen.length === 0) return []
    const producer = ledger.stage(subscription.producer)
    if (producer.dispatcher !== 'broadcast' || producer.accumulated) return []
    const givenUp = new Set(producer.discarded.flatMap(({ events }) => events))
    const expected = producer.emitted
      .slice(producer.emitted.indexOf(subscription.seen[0] ?? -1))
      .filter(event => !givenUp.has(event) && (!subscription.selective || event % 2 === 0))
      .slice(0, subscription.seen.length)
    const same = expected.every((event, index) => event === subscription.seen[index])
    return same
      ? []
      : [`INV-8: ${subscription.id} has a gap: it saw ${subscription.seen.join(' ')} of ${producer.emitted.join(' ')}`]
  })

/** INV-9: every event of a partition dispatcher goes to the consumer of its partition, in order, across its successive consumers. */
export const checkPartitions: Invariant = ledger => {
  const wrong: string[] = []
  for (const { id, producer, partition, seen } of ledger.subscriptions.values()) {
    if (seen.length === 0 || ledger.stage(producer).dispatcher !== 'partition') continue
    const stray = seen.find(event => plannedPartition(event) !== partition)
    if (stray !== undefined) wrong.push(`INV-9: ${id} takes partition ${partition} and got ${stray}`)
  }
  return wrong
}

/** INV-12, INV-13, INV-14: told of the beginning once and before any event, of the end once, and silent afterwards. */
export const checkSubscriptions: Invariant = ledger =>
  [...ledger.subscriptions.values()].flatMap(({ id, subscribed, ended }) => [
    ...(subscribed.consumer > 1 || subscribed.producer > 1 ? [`INV-14: ${id} was announced twice`] : []),
    ...(ended.consumer.length > 1 || ended.producer.length > 1 ? [`INV-13: ${id} ended twice`] : []),
  ])

/** INV-13, INV-17, INV-21: every stage ends once, runs `terminate` at most once, and every error is told once. */
export const checkStages: Invariant = ledger =>
  [...ledger.stages.values()].flatMap(({ name, exited, terminated, thrown, failed }) => [
    ...(exited.length === 1 ? [] : [`INV-13: ${name} ended ${exited.length} times`]),
    ...(terminated.length > 1 ? [`INV-13: ${name} ran terminate ${terminated.length} times`] : []),
    ...(thrown.length === failed ? [] : [`INV-17: ${name} threw ${thrown.length} errors, ${failed} were told`]),
  ])

/**
 * INV-4, INV-10 and INV-13: at rest an automatic consumer has asked for enough, nothing waits that somebody could take, a source
 * that could serve an open demand has been asked for it (U4), and both sides of a subscription agree on whether it lives.
 */
export async function checkAtRest(ledger: Ledger, runtime: Runtime, settle: () => Promise<void>): Promise<readonly string[]> {
  const wrong: string[] = []
  const topology = runtime.topology()
  for (const { subscription, demand, inFlight } of topology.edges) {
    const record = ledger.subscriptions.get(subscription)
    const isIdle = inFlight === 0 && record !== undefined && !record.manual && record.ended.consumer.length === 0
    const isBusy = record !== undefined && [record.producer, record.consumer].some(each => isRunning(ledger, each))
    if (isIdle && !isBusy && !record.selective && demand <= record.minDemand) {
      wrong.push(`INV-4: ${subscription} is idle and has only ${demand} open (minDemand ${record.minDemand})`)
    }
  }
  const known = new Map<string, Inspection>()
  for (const stage of topology.stages) {
    const record = ledger.stages.get(stage.id)
    const ref = stage.name === undefined ? undefined : runtime.whereis(stage.name)
    if (record === undefined || ref === undefined || record.running > 0) continue
    const inspecting = ref.inspect().catch(() => undefined)
    await settle()
    const inspection = await inspecting
    if (inspection === undefined) continue
    known.set(record.id, inspection)
    if (record.dispatcher === undefined) continue
    const told = openDemand(record.dispatcher, inspection.dispatcher)
    const open = wantedBy(record.dispatcher, inspection) ?? told
    if (open !== told) wrong.push(`GS-G7: the dispatcher of ${record.name} could take ${told}, its consumers want ${open}`)
    if (inspection.demandMode !== 'forward' || record.sparing) continue
    if (open > 0 && (record.left ?? 0) > 0) wrong.push(`INV-10: ${record.name} could serve a demand of ${open} and was not asked`)
    if (open > 0 && inspection.buffered > 0)
      wrong.push(`INV-10: ${record.name} holds ${inspection.buffered} events while ${open} are wanted`)
  }
  const living = new Set(topology.stages.map(({ id }) => id))
  return [...wrong, ...checkEnds(ledger, living, known), ...checkOverDemand(ledger, known)]
}

function isRunning(ledger: Ledger, stage: string): boolean {
  return (ledger.stages.get(stage)?.running ?? 0) > 0
}

/** INV-13: a side that lives knows of the end of the other, and was told of it once; both sides know the same subscriptions. */
function checkEnds(ledger: Ledger, living: ReadonlySet<string>, known: ReadonlyMap<string, Inspection>): string[] {
  const isKnown = (edges: readonly Edge[] | undefined, id: string): boolean | undefined =>
    edges?.some(({ subscription }) => subscription === id)
  return [...ledger.subscriptions.values()].flatMap(({ id, producer, consumer, subscribed, ended }) => {
    const below = subscribed.consumer === 0 ? undefined : isKnown(known.get(consumer)?.producers, id)
    const above = subscribed.producer === 0 ? undefined : isKnown(known.get(producer)?.consumers, id)
    const [by, to] = [ledger.stages.get(producer), ledger.stages.get(consumer)]
    if (by === undefined || to === undefined) return []
    // The end may wait in the inbox of a stage in the middle, behind events that nobody wants (GS-PC9)
    const hasInbox = to.type === 'producerConsumer'
    return [
      ...(below === true && (!living.has(producer) || above === false)
        ? [`INV-13: ${to.name} was not told that ${id} is over`]
        : []),
      ...(above === true && (!living.has(consumer) || below === false)
        ? [`INV-13: ${by.name} was not told that ${id} is over`]
        : []),
      ...(below === false && !hasInbox && ended.consumer.length === 0 ? [`INV-13: ${to.name} forgot ${id}`] : []),
      ...(above === false && ended.producer.length === 0 ? [`INV-13: ${by.name} forgot ${id}`] : []),
    ]
  })
}

/** GS-G7: a source is never asked for more than its consumers asked for (X2, X4). */
function checkOverDemand(ledger: Ledger, known: ReadonlyMap<string, Inspection>): string[] {
  return [...ledger.stages.values()].flatMap(({ id, name, type, dispatcher, sparing, demanded, discarded }) => {
    const inspection = known.get(id)
    if (type !== 'producer' || dispatcher === 'broadcast' || sparing || inspection === undefined) return []
    const { partitions = [] } = inspection.dispatcher as { readonly partitions?: readonly { readonly prepaid: number }[] }
    const again =
      partitions.reduce((sum, { prepaid }) => sum + prepaid, 0) +
      discarded.filter(({ reason }) => reason === 'no_partition').reduce((sum, { events }) => sum + events.length, 0)
    const asked = [...ledger.subscriptions.values()]
      .filter(each => each.producer === id)
      .reduce((sum, each) => sum + each.asked, 0)
    return demanded > asked + again
      ? [`GS-G7: ${name} was asked for ${demanded}, its consumers asked for ${asked} (and ${again} again)`]
      : []
  })
}

/** How many events the consumers could take now, by what they asked for and did not get; undefined where queues come in between. */
function wantedBy(kind: StageRecord['dispatcher'], { consumers, dispatcher }: Inspection): number | undefined {
  const demands = consumers.map(({ demand }) => demand)
  const sum = demands.reduce((total, demand) => total + demand, 0)
  if (kind === 'broadcast') return demands.length === 0 ? 0 : Math.min(...demands)
  if (kind === 'demand') return sum
  const told = dispatcher as {
    readonly pending?: number
    readonly partitions?: readonly { readonly queued: number; readonly prepaid: number }[]
  }
  return (told.partitions ?? []).reduce((total, { queued, prepaid }) => total - queued + prepaid, sum + (told.pending ?? 0))
}

/** How many events a dispatcher could take now, by what it tells of itself. */
function openDemand(kind: StageRecord['dispatcher'], told: unknown): number {
  const dispatcher = told as { readonly waiting?: number; readonly demands?: readonly { readonly demand: number }[] }
  if (kind !== 'demand') return dispatcher.waiting ?? 0
  return (dispatcher.demands ?? []).reduce((sum, { demand }) => sum + demand, 0)
}

/** What must hold at the very end, when every stage has ended. */
export const finalInvariants: readonly Invariant[] = [
  checkOrder,
  checkConservation,
  checkOnce,
  checkBroadcast,
  checkPartitions,
  checkSubscriptions,
  checkStages,
]
