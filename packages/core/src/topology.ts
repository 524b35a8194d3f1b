import { show } from './errors.ts'
import type { Edge, Topology, TopologyStage } from './refs.ts'

/** The running picture, with its drawing. */
export function topologyOf(stages: readonly TopologyStage[], edges: readonly Edge[]): Topology {
  return { stages, edges, toMermaid: () => mermaid(stages, edges) }
}

/**
 * A flow chart: sources are rounded, sinks have straight corners doubled, what a supervisor has started stands inside of it, and
 * every edge tells what it has carried.
 */
function mermaid(stages: readonly TopologyStage[], edges: readonly Edge[]): string {
  const node = new Map(stages.map((stage, index) => [stage.id, `s${index}`]))
  const children = new Map<string | undefined, TopologyStage[]>()
  for (const stage of stages) {
    // Without its supervisor in the picture a stage stands on its own
    const parent = stage.supervisor !== undefined && node.has(stage.supervisor) ? stage.supervisor : undefined
    const siblings = children.get(parent) ?? []
    children.set(parent, siblings)
    siblings.push(stage)
  }
  const draw = (stage: TopologyStage, indent: string): readonly string[] => {
    const own = children.get(stage.id)
    const name = node.get(stage.id) ?? ''
    if (own === undefined) return [`${indent}${name}${shape(stage)}`]
    const inside = own.flatMap(child => draw(child, `${indent}  `))
    return [`${indent}subgraph ${name}[${label(stage)}]`, ...inside, `${indent}end`]
  }
  const lines = (children.get(undefined) ?? []).flatMap(stage => draw(stage, '  '))
  for (const edge of edges) {
    const [from, to] = [node.get(edge.producer), node.get(edge.consumer)]
    if (from !== undefined && to !== undefined) lines.push(`  ${from} -- "${edge.delivered} events" --> ${to}`)
  }
  return ['flowchart LR', ...lines].join('\n')
}

function shape(stage: TopologyStage): string {
  const text = label(stage)
  switch (stage.type) {
    case 'producer':
      return `([${text}])`
    case 'consumer':
      return `[[${text}]]`
    case 'supervisor':
      return `{{${text}}}`
    case 'producerConsumer':
      return `[${text}]`
  }
}

function label(stage: TopologyStage): string {
  return show(stage.name ?? stage.id).replaceAll('\\"', '#quot;')
}
