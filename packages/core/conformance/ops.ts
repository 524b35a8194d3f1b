/** Performs the ops of a scenario's steps. */
import { GenStageError } from '@genstage/core'
import type { Reason } from '@genstage/core'
import { subscribeOptions } from './options.ts'
import type { Run } from './run.ts'
import { ScenarioError } from './scenario.ts'
import type { ResubscribeStep, Step, StepResult, SubscribeStep } from './scenario.ts'
import type { AnyRef } from './scene.ts'
import { deliberately } from './scene.ts'
import { errorToken, reasonOf, reasonToken } from './tokens.ts'

/** Tells the result of an op, once all is quiet. */
type Outcome = () => StepResult

const ok: Outcome = () => 'ok'

/** Does what a step says. Nothing happens if the stage that it acts on, its target, is not alive. */
export function perform(step: Step, run: Run): Outcome {
  const target = run.live(targetOf(step, run))
  if (!target) return () => 'noproc'
  if ('sub' in step && !run.subscriptions.made(step.sub)) return () => 'unknown_sub'
  try {
    return act(step, target, run)
  } catch (error) {
    if (error instanceof ScenarioError) throw error
    return () => ('how' in step && step.how === 'async' ? 'ok' : errorToken(error))
  }
}

function targetOf(step: Step, run: Run): string {
  switch (step.op) {
    case 'subscribe':
      return step.consumer
    case 'resubscribe':
    case 'ask':
    case 'cancel':
      return run.subscriptions.consumerOf(step.sub)
    case 'emit':
    case 'stop':
    case 'raise':
    case 'demand':
    case 'info':
    case 'estimate':
      return step.stage
    default:
      throw new ScenarioError(`unknown op: ${JSON.stringify(step)}`)
  }
}

function act(step: Step, target: AnyRef, run: Run): Outcome {
  switch (step.op) {
    case 'subscribe':
    case 'resubscribe':
      return subscribe(step, target, run)
    case 'ask':
      run.subscriptions.made(step.sub)?.ask(step.n)
      return ok
    case 'cancel':
      run.subscriptions.made(step.sub)?.cancel(reasonOf(step.reason))
      return ok
    case 'emit':
      return answer(target.call(step.events))
    case 'stop':
      return stop(target, step.reason)
    case 'raise':
      target.cast('raise')
      return ok
    case 'demand':
      if (step.mode === undefined) return answer(target.demandMode())
      target.setDemandMode(deliberately(step.mode))
      return ok
    case 'info':
      return inform(target, step.how, step.msg)
    case 'estimate':
      return answer(target.estimateBufferedCount())
  }
}

/**
 * The answer of a synchronous subscription tells that the request was posted, not what became of it. Only a consumer that stops
 * in its own handleSubscribe does not come to answer.
 */
function subscribe(step: SubscribeStep | ResubscribeStep, target: AnyRef, run: Run): Outcome {
  const replaced = step.op === 'resubscribe' ? run.subscriptions.made(step.sub) : undefined
  const subscription = target.subscribe({
    ...subscribeOptions(step, run),
    ...(step.op === 'resubscribe' && replaced ? { replaces: { subscription: replaced, reason: reasonOf(step.reason) } } : {}),
  })
  run.subscriptions.describe(subscription.id, step)
  let result: StepResult = 'ok'
  subscription.accepted.catch((error: unknown) => {
    if (step.how !== 'async' && run.subscriptions.wasRefused(step.as) && isStopped(error)) result = stoppedToken(error)
  })
  return () => result
}

function inform(target: AnyRef, how: string, message: string): Outcome {
  switch (how) {
    case 'sync':
      return answer(target.syncInfo(message).then(() => 'ok'))
    case 'async':
      target.asyncInfo(message)
      return ok
    case 'direct':
      target.send(message)
      return ok
    default:
      throw new ScenarioError(`unknown way to inform: "${how}"`)
  }
}

/** `kill` is different from all reasons: death on the spot. */
function stop(target: AnyRef, reason: string): Outcome {
  const ended = reason === 'kill' ? target.kill() : target.stop(reasonOf(reason), { timeout: Infinity })
  return answer(ended.then(() => 'ok'))
}

/** The op asks the stage for an answer; a stage that ends while it handles the op answers with its exit reason. */
function answer(reply: Promise<StepResult>): Outcome {
  let result: StepResult = 'no answer'
  reply.then(
    value => {
      result = value
    },
    (error: unknown) => {
      result = isStopped(error) ? stoppedToken(error) : errorToken(error)
    },
  )
  return () => result
}

type Stopped = GenStageError & { readonly reason: Reason }

function isStopped(error: unknown): error is Stopped {
  return error instanceof GenStageError && error.code === 'STOPPED' && error.reason !== undefined
}

function stoppedToken({ reason }: Stopped): string {
  return `exit:${reasonToken(reason)}`
}
