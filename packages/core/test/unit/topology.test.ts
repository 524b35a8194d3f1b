import { describe, expect, it } from 'vitest'
import type { Edge, TopologyStage } from '../../src/refs.ts'
import { topologyOf } from '../../src/topology.ts'

const stage = (id: string, type: TopologyStage['type'], supervisor?: string): TopologyStage => ({
  id,
  name: undefined,
  type,
  supervisor,
  mailbox: 0,
  buffered: 0,
})

const edge = (producer: string, consumer: string): Edge => ({
  subscription: `${producer} ${consumer}`,
  producer,
  consumer,
  demand: 0,
  inFlight: 0,
  delivered: 3,
  rate: 0,
})

const drawn = (stages: readonly TopologyStage[], edges: readonly Edge[] = []) =>
  topologyOf(stages, edges).toMermaid().split('\n').slice(1)

describe('topology as Mermaid text', () => {
  it('puts children inside of their supervisors, however deep, and edges behind them all', () => {
    const stages = [
      stage('app', 'supervisor'),
      stage('source', 'producer', 'app'),
      stage('workers', 'supervisor', 'app'),
      stage('one', 'producerConsumer', 'workers'),
      stage('two', 'producerConsumer', 'workers'),
      stage('sink', 'consumer', 'app'),
      stage('alone', 'consumer'),
    ]
    expect(drawn(stages, [edge('source', 'one'), edge('one', 'sink')])).toEqual([
      '  subgraph s0["app"]',
      '    s1(["source"])',
      '    subgraph s2["workers"]',
      '      s3["one"]',
      '      s4["two"]',
      '    end',
      '    s5[["sink"]]',
      '  end',
      '  s6[["alone"]]',
      '  s1 -- "3 events" --> s3',
      '  s3 -- "3 events" --> s5',
    ])
  })

  it('draws a supervisor without children as a hexagon', () => {
    expect(drawn([stage('app', 'supervisor')])).toEqual(['  s0{{"app"}}'])
  })

  it('lets an edge lead to a consumer that is a supervisor itself', () => {
    const stages = [stage('source', 'producer'), stage('tasks', 'consumer'), stage('task', 'consumer', 'tasks')]
    expect(drawn(stages, [edge('source', 'tasks')])).toEqual([
      '  s0(["source"])',
      '  subgraph s1["tasks"]',
      '    s2[["task"]]',
      '  end',
      '  s0 -- "3 events" --> s1',
    ])
  })

  it('lets a stage stand on its own whose supervisor is not in the picture', () => {
    expect(drawn([stage('child', 'producer', 'elsewhere')])).toEqual(['  s0(["child"])'])
  })
})
