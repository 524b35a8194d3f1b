import { answerForTheDead } from './absent.ts'
import type { ConsumerSide } from './consumer-side.ts'
import type { GenStageError } from './errors.ts'
import type { Extras, Linked } from './extras.ts'
import type { Mailbox } from './mailbox.ts'
import type { Opening } from './opening.ts'
import type { ProducerSide } from './producer-side.ts'
import type { Address, StageMessage } from './protocol.ts'
import { isGraceful, type Reason } from './reason.ts'
import type { DiscardReason } from './types.ts'

/**
 * What makes a stage end: something threw; the stage itself wants to; it lost a subscription, to nobody or to a producer that lives
 * on; somebody outside asked for it; another stage ended, and has told why itself. A failure of the first three kinds is raised if
 * nobody watches.
 */
export type Cause = 'crash' | 'own' | 'orphaned' | 'asked' | 'followed'

/** Why the stage is about to end. */
export interface Ending {
  readonly reason: Reason
  readonly cause: Cause
}

/** What becomes of events that an ended stage had not handled. */
export type Loss = 'crash' | 'killed' | 'stopped'

/** What becomes of events that a stage which ends like this had not handled. */
export function lossKind({ reason, cause }: Ending): Loss {
  if (cause === 'crash') return 'crash'
  return reason.type === 'killed' ? 'killed' : 'stopped'
}

/** A stage that has ended, as those see it who are told of it. */
export interface EndedStage {
  readonly address: Address
  readonly mailbox: Mailbox
  readonly producing: ProducerSide | undefined
  readonly consuming: ConsumerSide | undefined
  readonly endedAs: Reason | undefined
  /** The error for those who wait for the stage. */
  stopped(reason: Reason): GenStageError
  discard(reason: DiscardReason, events: readonly unknown[]): void
}

/**
 * Tells producers, consumers and everybody who waits for an answer that the stage has ended. Events that it had not done go back to
 * their producer, or are reported as lost.
 */
export function closeSides(
  stage: EndedStage,
  reason: Reason,
  loss: Loss,
  extras: Extras | undefined,
  opening: Opening | undefined,
): void {
  const { producing, consuming } = stage
  const refusal = (): GenStageError => stage.stopped(reason)
  const unread = allIn(stage.mailbox)
  const unfinished = consuming?.close(reason, refusal, unread, extras?.supervising?.undone?.() ?? []) ?? []
  stage.discard(loss === 'crash' ? 'consumer_crash' : loss, unfinished)
  producing?.end(reason, loss === 'crash' ? 'producer_crash' : loss)
  opening?.refuseSubscriptions(reason, refusal)
  for (const message of unread) {
    if (message.type !== 'events' || consuming?.goesBack(message.subscription) !== true) answerLate(stage, message, reason, loss)
  }
  for (const reply of extras?.unanswered ?? []) reply.reject(stage.stopped(reason))
}

/** Answers a message that came too late: to a stage that has ended, or has ended with it unread. */
export function answerLate(stage: EndedStage, message: StageMessage, reason: Reason, loss: Loss): void {
  if (message.type === 'events') stage.discard(loss === 'crash' ? 'consumer_crash' : loss, message.events)
  else if (message.type === 'subscribe') answerForTheDead(stage.address, message, reason)
  else if ('reply' in message) message.reply?.reject(stage.stopped(stage.endedAs ?? reason))
  else if (message.type === 'later') message.abandon?.(reason)
  else if (message.type === 'consumerDown')
    stage.discard(
      loss === 'crash' ? 'producer_crash' : loss,
      (message.undone ?? []).flatMap(each => each.events),
    )
}

/** The failure of a stage ends those that are linked to it (GS-J4). */
export function endLinked(stage: Linked, linked: ReadonlySet<Linked> | undefined, reason: Reason): void {
  for (const other of linked ?? []) {
    other.unlink(stage)
    if (!isGraceful(reason)) other.failWith(reason)
  }
}

/** Empties a mailbox. */
function allIn(mailbox: Mailbox): readonly StageMessage[] {
  const messages: StageMessage[] = []
  for (let message = mailbox.shift(); message !== undefined; message = mailbox.shift()) messages.push(message)
  return messages
}
