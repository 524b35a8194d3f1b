import { GenStageError, show } from './errors.ts'
import type { ConsumerRef, Messages, ProducerConsumerRef, ProducerRef, StageName } from './refs.ts'

/** What a typed name is behind its types. */
export class NameToken {
  readonly name: string

  constructor(name: string) {
    if (typeof name !== 'string' || name === '') {
      throw new GenStageError('BAD_OPTION', `a name must be a text that is not empty, not ${show(name)}`, { option: 'name' })
    }
    this.name = name
  }
}

function token<Ref>(name: string): StageName<Ref> {
  return new NameToken(name) as unknown as StageName<Ref>
}

/** `const Numbers = producerName<number>('numbers')`: a name for `start(…, { name: Numbers })` and for `to: Numbers`. */
export function producerName<Out, M extends Messages = Messages>(name: string): StageName<ProducerRef<Out, M>> {
  return token(name)
}

/** The same for a consumer: found with `runtime.whereis`. */
export function consumerName<In, M extends Messages = Messages>(name: string): StageName<ConsumerRef<In, M>> {
  return token(name)
}

/** The same for a stage in the middle. */
export function producerConsumerName<In, Out, M extends Messages = Messages>(
  name: string,
): StageName<ProducerConsumerRef<In, Out, M>> {
  return token(name)
}
