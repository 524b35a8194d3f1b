import type { CheckedCallbacks } from './callbacks.ts'
import { GenStageError, show, suggestion } from './errors.ts'
import type { StageType } from './types.ts'

const common = ['handleCall', 'handleCast', 'handleInfo', 'handleSubscribe', 'handleCancel', 'terminate']

/** The callbacks of each kind of stage, the mandatory one first. */
const callbacksOf: Readonly<Record<StageType, readonly string[]>> = {
  producer: ['handleDemand', ...common, 'formatDiscarded'],
  consumer: ['handleEvents', ...common],
  producerConsumer: ['handleEvents', ...common, 'formatDiscarded'],
  supervisor: [],
}

/** Callbacks are all that may be called so; the rest of a record, or of a class instance, is its own business. */
function isCallbackName(key: string): boolean {
  return key.startsWith('handle') || key === 'formatDiscarded' || key === 'terminate'
}

/** Checks what a setup returned (BAD_CALLBACKS): a record or an instance, nothing misspelt, nothing missing. */
export function checkedCallbacks(stage: { readonly label: string }, type: StageType, answer: unknown): CheckedCallbacks {
  const refuse = (what: string): GenStageError =>
    new GenStageError('BAD_CALLBACKS', `stage ${show(stage.label)}: ${what}`, { stage: stage.label })
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw refuse(`the setup of a ${type} must return an object with its callbacks, or ignore, not ${show(answer)}`)
  }
  const known = callbacksOf[type]
  const [mandatory = ''] = known
  for (
    let owner: object | null = answer;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    for (const key of Object.getOwnPropertyNames(owner)) {
      if (!isCallbackName(key)) continue
      if (!known.includes(key) && key !== 'formatDiscarded')
        throw refuse(`a ${type} has no callback ${key}${suggestion(key, known)}`)
      const value: unknown = Reflect.get(answer, key)
      if (value !== undefined && typeof value !== 'function') throw refuse(`${key} must be a function, not ${show(value)}`)
    }
  }
  if (typeof Reflect.get(answer, mandatory) !== 'function') throw refuse(`a ${type} must have the callback ${mandatory}`)
  return answer
}
