import type { ConsumerSide } from './consumer-side.ts'
import { drained } from './draining.ts'
import { GenStageError, show, suggestion } from './errors.ts'
import { badReturn, type Host } from './host.ts'
import { isOptions } from './options.ts'
import type { ProducerSide } from './producer-side.ts'
import type { Reply, StageMessage } from './protocol.ts'
import { failure } from './reason.ts'
import type { Inspection } from './refs.ts'

const callResult = '{ reply, events } or nothing'

/** A stage, as its messages see it. */
export interface Receiver extends Host {
  readonly producing: ProducerSide | undefined
  readonly consuming: ConsumerSide | undefined
  /** A call has come: if nobody answers it, the end of the stage does. */
  owe(reply: Reply): void
  inspect(): Inspection
  setUp(): void
  /** What was emitted before a drain has left: the stage ends. */
  allHasLeft(): void
}

/**
 * Does what a message asks for: of a side, of a callback, or of the stage. Events and asks make up nearly all traffic, so the stage
 * gives them to its sides itself; those that come here are for a side that it does not have.
 */
export function handleMessage(stage: Receiver, message: StageMessage): void {
  const { producing, consuming } = stage
  switch (message.type) {
    case 'events':
      return wrongSide(stage, message.type)
    case 'ask':
      notAProducer(stage, message.type)
      return
    case 'subscribe':
      if (producing !== undefined) return producing.subscribe(message)
      message.from.post({
        type: 'cancelled',
        from: stage.address,
        subscription: message.subscription,
        reason: failure(notAProducer(stage, message.type)),
      })
      return
    case 'cancel':
      if (producing !== undefined) return producing.cancel(message.subscription, { kind: 'cancel', reason: message.reason })
      notAProducer(stage, message.type)
      return
    case 'cancelSubscriber':
      return producing?.cancel(message.subscription, { kind: 'cancel', reason: message.reason })
    case 'consumerDown':
      return producing?.cancel(message.subscription, { kind: 'down', reason: message.reason }, message.undone)
    case 'subscribed':
      return consuming?.accepted(message.subscription)
    case 'cancelled':
      if (consuming !== undefined) return consuming.end(message.subscription, { kind: 'cancel', reason: message.reason })
      return wrongSide(stage, message.type)
    case 'producerDown':
      return consuming?.end(message.subscription, { kind: 'down', reason: message.reason })
    case 'refill':
      return producing?.refill(message.subscription, message.demand)
    case 'settle':
      return producing?.settleAgain()
    case 'wake':
      return producing?.wake()
    case 'setDemandMode':
      if (stage.type === 'producer') return producing?.setMode(message.mode)
      // Forward is what a stage in the middle does anyhow (GS-M6)
      if (stage.type === 'producerConsumer' && message.mode === 'forward') return
      return stage.log('no_demand_mode', `a ${stage.type} has no demand mode to set to ${message.mode}`, { mode: message.mode })
    case 'call':
      return call(stage, message.request, message.reply)
    case 'cast':
      return cast(stage, message.message)
    case 'info':
      return info(stage, message.message)
    case 'tick': {
      const tick = message.tick.take()
      return tick === undefined ? undefined : info(stage, tick.message)
    }
    case 'queueInfo':
      queueInfo(stage, message.message)
      return message.reply?.resolve(undefined)
    case 'query':
      return message.reply.resolve(answer(stage, message.query))
    case 'later':
    case 'childNews':
      return message.work()
    case 'setup':
      return stage.setUp()
  }
}

function call(stage: Receiver, request: unknown, reply: Reply): void {
  const { callbacks } = stage
  if (callbacks.handleCall === undefined) {
    const text = `stage ${show(stage.label)} has no handleCall to answer ${show(request)}`
    return reply.reject(new GenStageError('NO_HANDLER', text, { stage: stage.label }))
  }
  stage.owe(reply)
  const resolve = (value: unknown): void => reply.resolve(value)
  stage.whenDone(callbacks.handleCall(request, resolve), answered => {
    if (answered === undefined) return
    const result = checkedResult(stage, answered)
    if ('events' in result) stage.emit(result.events, 'handleCall')
    if ('reply' in result) resolve(result.reply)
  })
}

/** What `handleCall` returned. Refuses what cannot be meant so, because the caller would wait for an answer that never comes. */
function checkedResult(stage: Receiver, result: unknown): object {
  if (!isOptions(result)) throw badReturn(stage, 'handleCall', callResult, result)
  const known = ['reply', 'events']
  const unknown = Object.keys(result).find(key => !known.includes(key))
  if (unknown === undefined) return result
  throw badReturn(stage, 'handleCall', callResult, result, ` with ${show(unknown)}${suggestion(unknown, known)}`)
}

function cast(stage: Receiver, message: unknown): void {
  const { callbacks } = stage
  if (callbacks.handleCast === undefined) {
    throw new GenStageError('NO_HANDLER', `stage ${show(stage.label)} has no handleCast to take ${show(message)}`, {
      stage: stage.label,
    })
  }
  stage.whenDone(callbacks.handleCast(message), events => stage.emit(events, 'handleCast'))
}

function info(stage: Receiver, message: unknown): void {
  if (message === drained) return stage.allHasLeft()
  const { callbacks } = stage
  if (callbacks.handleInfo === undefined) {
    return stage.log('unhandled_info', `has no handleInfo: ${show(message)} is dropped`, { message })
  }
  stage.whenDone(callbacks.handleInfo(message), events => stage.emit(events, 'handleInfo'))
}

/** An info that keeps its place behind the events that wait (GS-I2, I3). */
function queueInfo(stage: Receiver, message: unknown): void {
  if (stage.producing === undefined) stage.post({ type: 'info', message })
  else if (stage.consuming?.queueInfo(message) !== true) stage.producing.info(message)
}

function answer(stage: Receiver, query: 'demandMode' | 'estimate' | 'inspect'): unknown {
  if (query === 'inspect') return stage.inspect()
  if (query === 'demandMode') return stage.producing?.mode ?? 'forward'
  if (stage.producing !== undefined) return stage.producing.buffered
  stage.log('no_buffer', `a ${stage.type} has no buffer`, {})
  return 0
}

/** A consumer was taken for a producer (GS-X11, K12). */
function notAProducer(stage: Receiver, message: string): GenStageError {
  const text = `stage ${show(stage.label)} is a ${stage.type} and got ${show(message)}, which is for producers`
  stage.log('not_a_producer', text, { message })
  return new GenStageError('NOT_A_PRODUCER', text, { stage: stage.label })
}

function wrongSide(stage: Receiver, message: string): void {
  stage.log('protocol_error', `a ${stage.type} got ${show(message)}, which is for consumers`, { message })
}
