/** The format of the golden traces as a check: takes the parsed content of a file, entry by entry, and refuses mistakes of the file. */
import { batchFunctionNames, hashNames, selectorNames, sourceNames } from './functions.ts'
import { checkLength, checkNames } from './references.ts'
import { ScenarioError } from './scenario.ts'
import type { Entry } from './scenario.ts'
import {
  anything,
  exactly,
  kindOf,
  listOf,
  number,
  oneOf,
  open,
  optional,
  recordOf,
  refuse,
  text,
  textOrNumber,
} from './shapes.ts'
import type { Check } from './shapes.ts'

const events = listOf(number, 'a list of numbers')

const onCancel: Check = (value, place) => {
  if (value !== 'stop') listOf(number, '"stop" or a list of numbers')(value, place)
}

// What is handed to the library as it is may be anything: some scenarios are about what it refuses

const subscriptionFields = {
  as: text,
  producer: text,
  mode: anything,
  maxDemand: anything,
  minDemand: anything,
  cancel: anything,
  partition: anything,
  selector: optional(oneOf(...selectorNames)),
}

const dispatcher = kindOf('type', 'a dispatcher', {
  demand: exactly('a demand dispatcher', { type: text, maxDemand: anything }),
  broadcast: exactly('a broadcast dispatcher', { type: text }),
  partition: exactly('a partition dispatcher', { type: text, partitions: anything, hash: optional(oneOf(...hashNames)) }),
})

const stageFields = { id: text, type: text, onCancel: optional(onCancel) }
const producingFields = {
  onSubscribe: optional(oneOf('stop', 'manual')),
  dispatcher: optional(dispatcher),
  bufferSize: anything,
  bufferKeep: anything,
}
const consumingFields = {
  fn: optional(oneOf(...batchFunctionNames)),
  subscribeTo: optional(listOf(exactly('a subscription', subscriptionFields))),
  raiseOn: optional(number),
}

const stage = kindOf('type', 'a stage', {
  producer: exactly('a producer', {
    ...stageFields,
    ...producingFields,
    source: oneOf(...sourceNames),
    limit: optional(number),
    chunk: optional(number),
    demand: anything,
  }),
  producer_consumer: exactly('a producer_consumer', {
    ...stageFields,
    ...producingFields,
    ...consumingFields,
    fn: oneOf(...batchFunctionNames),
  }),
  consumer: exactly('a consumer', { ...stageFields, ...consumingFields, onSubscribe: optional(oneOf('stop')) }),
})

const requestFields = { op: text, ...subscriptionFields, how: optional(oneOf('async')) }

const step = kindOf('op', 'a step', {
  subscribe: exactly('subscribe', { ...requestFields, consumer: text }),
  resubscribe: exactly('resubscribe', { ...requestFields, sub: text, reason: text }),
  ask: exactly('ask', { op: text, sub: text, n: number }),
  cancel: exactly('cancel', { op: text, sub: text, reason: text }),
  emit: exactly('emit', { op: text, stage: text, events }),
  stop: exactly('stop', { op: text, stage: text, reason: text }),
  raise: exactly('raise', { op: text, stage: text }),
  demand: exactly('demand', { op: text, stage: text, mode: anything }),
  info: exactly('info', { op: text, stage: text, how: oneOf('sync', 'async', 'direct'), msg: text }),
  estimate: exactly('estimate', { op: text, stage: text }),
})

const observation: Check = (value, place) => {
  if (!Array.isArray(value) || typeof value[0] !== 'string')
    refuse(place, 'an observation: a list that begins with a word', value)
}
const obs = recordOf(listOf(observation, 'a list of observations'))

const trace = open('a trace', {
  start: open('the start', { results: recordOf(text), obs }),
  steps: listOf(exactly('the outcome of a step', { result: textOrNumber, obs }), 'a list with an outcome for each step'),
})

const entry = open('an entry', {
  scenario: open('a scenario', {
    name: text,
    why: optional(text),
    stages: listOf(stage, 'a list of stages'),
    steps: listOf(step, 'a list of steps'),
  }),
  trace,
  deviation: optional(
    open('a deviation', {
      rules: listOf(text, 'a list of rules'),
      trace: (value, place) => value === null || trace(value, place),
      why: optional(text),
    }),
  ),
})

/** The items of a file, each to be judged by `toEntry`. */
export function entriesIn(content: unknown): readonly unknown[] {
  if (!Array.isArray(content)) throw new ScenarioError('must be a list of { scenario, trace }')
  if (content.length === 0) throw new ScenarioError('must be a list of { scenario, trace }; it is empty')
  return content
}

/** Takes an item of a file for an entry. Throws a `ScenarioError` that names the place of the first mistake, and what is allowed there. */
export function toEntry(item: unknown): Entry {
  checkShape(item)
  const { scenario, deviation } = item
  checkNames(scenario)
  checkLength(scenario, item.trace, 'entry.trace')
  if (deviation?.trace) checkLength(scenario, deviation.trace, 'entry.deviation.trace')
  return item
}

/** What messages call an item, which may be no entry. */
export function titleOf(item: unknown, index: number): string {
  return isNamed(item) ? item.scenario.name : `entry ${index}`
}

function isNamed(item: unknown): item is { readonly scenario: { readonly name: string } } {
  try {
    open('an entry', { scenario: open('a scenario', { name: text }) })(item, 'entry')
    return true
  } catch {
    return false
  }
}

function checkShape(item: unknown): asserts item is Entry {
  entry(item, 'entry')
}
