import type { Dispatcher } from './dispatcher.ts'
import { describeReason, GenStageError, ownError, show, UnnamedError } from './errors.ts'
import { failure } from './reason.ts'

/** Where a dispatcher works: errors name it. */
interface Place {
  /** Name or id of the stage. */
  readonly label: string
}

const mandatory = ['subscribe', 'ask', 'cancel', 'dispatch']

/** What a factory made, if it is a dispatcher; refuses what lacks one of the mandatory operations. */
export function checkedDispatcher(place: Place, dispatcher: unknown): Dispatcher {
  const missing = mandatory.find(
    method => typeof dispatcher !== 'object' || dispatcher === null || typeof Reflect.get(dispatcher, method) !== 'function',
  )
  if (missing === undefined) return dispatcher as Dispatcher
  const { label } = place // read only now: it is made when somebody wants to know it
  throw new GenStageError(
    'BAD_OPTION',
    `stage ${show(label)}: the dispatcher has no method ${missing}; it needs ${mandatory.join(', ')}`,
    {
      stage: label,
      option: 'dispatcher',
    },
  )
}

/** The error that ends the stage when an operation of its dispatcher threw. */
export function dispatcherFailed(place: Place, operation: string, cause: unknown): GenStageError {
  const own = ownError(cause)
  if (own !== undefined) return named(place, own)
  const { label } = place
  const text = `stage ${show(label)}: ${operation} of its dispatcher failed: ${describeReason(failure(cause))}`
  return new GenStageError('DISPATCHER_FAILED', text, { stage: label, cause })
}

/** An error of a dispatcher, which does not know the name of its stage, with that name. */
export function named({ label }: Place, error: GenStageError): GenStageError {
  return error instanceof UnnamedError ? error.named(label) : error
}

/** An answer of a dispatcher breaks the contract. */
export function brokenContract({ label }: Place, what: string): GenStageError {
  return new GenStageError('DISPATCHER_FAILED', `stage ${show(label)}: its dispatcher breaks the contract: ${what}`, {
    stage: label,
  })
}
