import type { Edge, Topology, TopologyStage } from '@genstage/core'
import { describe, expect, test } from 'vitest'
import { parseOptions } from './command-line.ts'
import { flowLines, flows, layers } from './picture.ts'
import { progressLine } from './progress.ts'
import { randomFrom } from './random.ts'

describe('options', () => {
  const numbers = { count: { default: 10, from: 0, to: 100 }, share: { default: 0.5, from: 0, to: 1, fraction: true } }
  const parse = (...args: string[]) => parseOptions(args, numbers, ['json', 'help'])

  test('have defaults', () => {
    expect(parse()).toEqual({ count: 10, share: 0.5, json: false, help: false })
  })

  test('are read in any order', () => {
    expect(parse('--json', '--share=0.25', '--count', '7', '-h')).toEqual({ count: 7, share: 0.25, json: true, help: true })
  })

  test.each([
    [['--tip'], 'unknown option --tip'],
    [['-x'], 'unknown option -x'],
    [['--json=yes'], 'unknown option --json=yes'],
    [['--count'], '--count takes a whole number from 0 to 100, but none was given'],
    [['--count', '2.5'], '--count takes a whole number from 0 to 100, not "2.5"'],
    [['--count=1e1'], '--count takes a whole number from 0 to 100, not "1e1"'],
    [['--count', '101'], '--count takes a whole number from 0 to 100, not "101"'],
    [['--share', '-1'], '--share takes a number from 0 to 1, not "-1"'],
    [['word'], 'unknown argument "word"'],
  ])('%j is refused', (args, message) => {
    expect(() => parse(...args)).toThrow(message)
  })
})

describe('the picture', () => {
  const stage = (id: string, type: TopologyStage['type']): TopologyStage => {
    return { id, name: `the ${id}`, type, supervisor: undefined, mailbox: 0, buffered: 0 }
  }
  const edge = (producer: string, consumer: string, delivered: number): Edge => {
    return { subscription: `${producer}-${consumer}`, producer, consumer, demand: 0, inFlight: 0, delivered, rate: 0 }
  }
  const topology: Topology = {
    stages: [stage('sink', 'consumer'), stage('middle', 'producerConsumer'), stage('source', 'producer')],
    edges: [edge('middle', 'sink', 1_000), edge('source', 'sink', 250), edge('source', 'middle', 1_000)],
    toMermaid: () => '',
  }

  test('begins with the sources', () => {
    expect(layers(topology)).toEqual([['source'], ['middle'], ['sink']])
    expect(flows(topology).map(({ from, to }) => `${from} ${to}`)).toEqual([
      'the source the middle',
      'the source the sink',
      'the middle the sink',
    ])
  })

  test('tells what each subscription has carried', () => {
    expect(flowLines(flows(topology), 45)).toEqual([
      '  the source → the middle  1,000  ███████████',
      '             → the sink      250  ██▊',
      '  the middle → the sink    1,000  ███████████',
    ])
  })

  test('leaves out the bars where there is no room', () => {
    expect(flowLines(flows(topology), 30)[0]).toBe('  the source → the middle  1,000')
  })
})

describe('progress', () => {
  test('is a bar and a text, or the text alone', () => {
    expect(progressLine({ share: 0.5, text: '5 of 10' }, 19)).toBe('█████░░░░░  5 of 10')
    expect(progressLine({ share: 0.5, text: '5 of 10' }, 10)).toBe('5 of 10')
    expect(progressLine({ share: 0.5, text: '5 of 10' }, 5)).toBe('5 of…')
  })
})

describe('chance', () => {
  test('is the same for the same seed, and spread from 0 to 1', () => {
    const [one, same, other] = [randomFrom(1), randomFrom(1), randomFrom(2)]
    const numbers = Array.from({ length: 10_000 }, one)
    expect(Array.from({ length: 10_000 }, same)).toEqual(numbers)
    expect(other()).not.toBe(numbers[0])
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...numbers)).toBeLessThan(1)
    expect(numbers.reduce((sum, number) => sum + number) / 10_000).toBeCloseTo(0.5, 1)
  })
})
