/** A topology as text. */
import type { Topology } from '@genstage/core'
import { bar, grouped } from './layout.ts'

/** The ids of the stages by their distance from the sources: each below all that it takes events from. */
export function layers(topology: Topology): string[][] {
  const result: string[][] = []
  let left = topology.stages.filter(stage => stage.type !== 'supervisor').map(stage => stage.id)
  while (left.length > 0) {
    const waiting = new Set(topology.edges.filter(edge => left.includes(edge.producer)).map(edge => edge.consumer))
    const layer = left.filter(id => !waiting.has(id))
    // In a ring nobody is first.
    if (layer.length === 0) return [...result, left]
    result.push(layer)
    left = left.filter(id => waiting.has(id))
  }
  return result
}

/** A number of events on its way from one stage to another, by their names. */
export interface Flow {
  readonly from: string
  readonly to: string
  readonly events: number
}

/** What each subscription has carried by now, from the sources down. */
export function flows(topology: Topology): Flow[] {
  const nameOf = new Map(topology.stages.map(({ id, name }) => [id, name ?? id]))
  const place = new Map(
    layers(topology)
      .flat()
      .map((id, index) => [id, index]),
  )
  const placeOf = (id: string) => place.get(id) ?? 0
  return [...topology.edges]
    .sort((a, b) => placeOf(a.producer) - placeOf(b.producer) || placeOf(a.consumer) - placeOf(b.consumer))
    .map(({ producer, consumer, delivered }) => ({
      from: nameOf.get(producer) ?? producer,
      to: nameOf.get(consumer) ?? consumer,
      events: delivered,
    }))
}

/** One line for each flow; the bars compare what one stage gave to each of the others. */
export function flowLines(all: readonly Flow[], width: number): string[] {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(text => text.length))
  const fromWidth = widest(all.map(({ from }) => from))
  const toWidth = widest(all.map(({ to }) => to))
  const countWidth = widest(all.map(({ events }) => grouped(events)))
  const barWidth = Math.min(24, width - fromWidth - toWidth - countWidth - 9)
  return all.map(({ from, to, events }, index) => {
    const most = Math.max(1, ...all.filter(flow => flow.from === from).map(flow => flow.events))
    const source = all[index - 1]?.from === from ? '' : from
    const row = `  ${source.padEnd(fromWidth)} → ${to.padEnd(toWidth)}  ${grouped(events).padStart(countWidth)}`
    return barWidth > 0 ? `${row}  ${bar(events / most, barWidth)}`.trimEnd() : row
  })
}
