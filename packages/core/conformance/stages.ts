/** Starts the stages of a scenario. */
import { consumer, consumerName, producer, producerConsumer, producerConsumerName, producerName, start } from '@genstage/core'
import type { ConsumerCallbacks } from '@genstage/core'
import { commonCallbacks, demandCallbacks, eventCallbacks, producingCallbacks } from './callbacks.ts'
import { demandOption, producingOptions, subscribeToOption } from './options.ts'
import { ScenarioError } from './scenario.ts'
import type { ConsumerStage, ProducerConsumerStage, ProducerStage, Stage } from './scenario.ts'
import { deliberately } from './scene.ts'
import type { AnyRef, Scene } from './scene.ts'

/** Starts a stage under its id as its name; throws what `start` throws. */
export function startStage(stage: Stage, scene: Scene): AnyRef {
  switch (stage.type) {
    case 'producer':
      return deliberately(startProducer(stage, scene))
    case 'producer_consumer':
      return deliberately(startProducerConsumer(stage, scene))
    case 'consumer':
      return deliberately(startConsumer(stage, scene))
    default:
      throw new ScenarioError(`unknown type of stage: ${JSON.stringify(stage)}`)
  }
}

function startProducer(stage: ProducerStage, scene: Scene) {
  const definition = producer.of<number>()((_: void, self) => ({
    ...commonCallbacks(stage, scene, self),
    ...producingCallbacks(stage, scene),
    ...demandCallbacks(stage, scene, self),
  }))
  const name = producerName<number>(stage.id)
  return start(definition, { runtime: scene.runtime, name, ...producingOptions(stage), ...demandOption(stage) })
}

function startProducerConsumer(stage: ProducerConsumerStage, scene: Scene) {
  const definition = producerConsumer.of<number, number>()((_: void, self) => ({
    ...commonCallbacks(stage, scene, self),
    ...producingCallbacks(stage, scene),
    ...eventCallbacks(stage, scene),
  }))
  const name = producerConsumerName<number, number>(stage.id)
  return start(definition, { runtime: scene.runtime, name, ...producingOptions(stage), ...subscribeToOption(stage, scene) })
}

type EmittingConsumer = ConsumerCallbacks<number, readonly number[], string, 'raise', string>

function startConsumer(stage: ConsumerStage, scene: Scene) {
  const definition = consumer.of<number>()((_: void, self) =>
    deliberately<EmittingConsumer>({ ...commonCallbacks(stage, scene, self), ...eventCallbacks(stage, scene) }),
  )
  const name = consumerName<number>(stage.id)
  return start(definition, { runtime: scene.runtime, name, ...subscribeToOption(stage, scene) })
}
