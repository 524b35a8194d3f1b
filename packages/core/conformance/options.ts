/** From the options of a scenario to those of the library. What a scenario leaves out is not passed at all. */
import { broadcastDispatcher, demandDispatcher, partitionDispatcher } from '@genstage/core'
import type {
  ConsumerOptions,
  DispatcherFactory,
  PartitionDispatcherOptions,
  ProducerOptions,
  ProducingOptions,
  SubscribeOptions,
} from '@genstage/core'
import { hashFunction, selectorValue } from './functions.ts'
import { ScenarioError } from './scenario.ts'
import type { DispatcherChoice, ProducingChoice, StartSubscription, Stage } from './scenario.ts'
import { deliberately } from './scene.ts'
import type { Scene } from './scene.ts'

export function producingOptions({ dispatcher, bufferSize, bufferKeep }: ProducingChoice): ProducingOptions<number> {
  return given({
    dispatcher: dispatcher && dispatcherOf(dispatcher),
    bufferSize: bufferSize === 'infinity' ? Infinity : bufferSize,
    bufferKeep,
  })
}

export function demandOption({ demand }: { readonly demand?: string }): Pick<ProducerOptions<number>, 'demand'> {
  return given({ demand })
}

export function subscribeToOption({ subscribeTo }: Stage, scene: Scene): ConsumerOptions<number> {
  return given({ subscribeTo: subscribeTo?.map(each => subscribeOptions(each, scene)) })
}

/** Without `mode`, which is no option of the library: the consumer's handleSubscribe answers it. */
export function subscribeOptions(choice: StartSubscription, scene: Scene): SubscribeOptions<number> {
  const { producer, maxDemand, minDemand, cancel, partition, selector } = choice
  return given({
    to: scene.source(producer),
    maxDemand,
    minDemand,
    cancel,
    partition,
    selector: selector === undefined ? undefined : selectorValue(selector),
  })
}

function dispatcherOf(choice: DispatcherChoice): DispatcherFactory<number> {
  switch (choice.type) {
    case 'demand':
      return demandDispatcher(given({ maxDemand: choice.maxDemand }))
    case 'broadcast':
      return broadcastDispatcher()
    case 'partition':
      return partitionDispatcher(partitionOptions(choice.partitions, choice.hash))
    default:
      throw new ScenarioError(`unknown dispatcher: ${JSON.stringify(choice)}`)
  }
}

function partitionOptions(
  partitions: number | readonly string[] | undefined,
  hash: string | undefined,
): PartitionDispatcherOptions<number, number | string> {
  return given({ partitions, hash: hash === undefined ? undefined : hashFunction(hash, partitions) })
}

/** The options without those that are undefined; their values may be wrong on purpose. */
function given<T>(options: Readonly<Record<string, unknown>>): T {
  return deliberately(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)))
}
