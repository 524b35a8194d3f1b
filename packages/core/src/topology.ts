import { show } from './errors.ts'
import type { Edge, Topology, TopologyStage } from './refs.ts'

/** The running picture, with its drawing. */
export function topologyOf(stages: readonly TopologyStage[], edges: readonly Edge[]): Topology {
  return { stages, edges, toMermaid: () => mermaid(stages, edges) }
}

/** A flow chart: sources are rounded, sinks have straight corners doubled, every edge tells what it has carried. */
function mermaid(stages: readonly TopologyStage[], edges: readonly Edge[]): string {
  const node = new Map(stages.map((stage, index) => [stage.id, `s${index}`]))
  const lines = stages.map(stage => `  ${node.get(stage.id) ?? ''}${shape(stage)}`)
  for (const edge of edges) {
    const [from, to] = [node.get(edge.producer), node.get(edge.consumer)]
    if (from !== undefined && to !== undefined) lines.push(`  ${from} -- "${edge.delivered} events" --> ${to}`)
  }
  return ['flowchart LR', ...lines].join('\n')
}

function shape(stage: TopologyStage): string {
  const label = show(stage.name ?? stage.id).replaceAll('\\"', '#quot;')
  if (stage.type === 'producer') return `([${label}])`
  return stage.type === 'consumer' ? `[[${label}]]` : `[${label}]`
}
