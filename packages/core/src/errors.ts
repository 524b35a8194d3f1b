import type { Reason } from './reason.ts'

/** Stable codes; the guide has a page on each. */
export type ErrorCode =
  // refused at the call
  | 'BAD_OPTION'
  | 'BAD_CALLBACKS'
  | 'BAD_SOURCE'
  | 'BAD_SINK'
  | 'BAD_DEMAND'
  | 'NAME_TAKEN'
  | 'NOT_A_STAGE'
  // a subscription refused or lost
  | 'NOT_A_PRODUCER'
  | 'NOT_A_CONSUMER'
  | 'ALREADY_SUBSCRIBED'
  | 'DUPLICATED_SUBSCRIPTION'
  | 'UNKNOWN_SUBSCRIPTION'
  | 'UNKNOWN_PARTITION'
  | 'PARTITION_TAKEN'
  | 'REDELIVERY_REFUSED'
  // a stage that cannot answer
  | 'STOPPED'
  | 'TIMEOUT'
  | 'NO_HANDLER'
  // a stage that failed
  | 'SETUP_FAILED'
  | 'BAD_RETURN'
  | 'DISPATCHER_FAILED'
  | 'STAGE_FAILED'
  | 'SOURCE_OVERFLOW'
  | 'NOT_CLONEABLE'
  | 'WORKER_FAILED'
  | 'UNKNOWN_CHILD'
  | 'TOO_MANY_RESTARTS'

/** What a program may want to know besides the code. */
export interface GenStageErrorDetails {
  readonly stage?: string | undefined
  readonly option?: string | undefined
  readonly reason?: Reason | undefined
  readonly cause?: unknown
}

/**
 * The one error class. `message` names the stage, the numbers and the way out:
 * `stage "mailer": minDemand (10) must be below maxDemand (10); try minDemand: 5`. What was thrown by user code is the `cause`.
 */
export class GenStageError extends Error {
  override readonly name: 'GenStageError'
  readonly code: ErrorCode
  /** Name or id of the stage concerned. */
  readonly stage: string | undefined
  /** The option concerned. */
  readonly option: string | undefined
  /** The exit reason that the error tells of. */
  readonly reason: Reason | undefined

  constructor(code: ErrorCode, message: string, details: GenStageErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'GenStageError'
    this.code = code
    this.stage = details.stage
    this.option = details.option
    this.reason = details.reason
  }
}

/** An error of a part that does not know which stage it works for, as a built-in dispatcher: the stage gives it its name. */
export class UnnamedError extends GenStageError {
  /** The same error, told by `stage`. */
  named(stage: string): GenStageError {
    return new GenStageError(this.code, `stage ${show(stage)}: ${this.message}`, {
      stage,
      option: this.option,
      cause: this.cause,
    })
  }
}

/** Something thrown, if it is an error of ours. It may be anything, also something that throws when it is looked at (F12). */
export function ownError(error: unknown): GenStageError | undefined {
  try {
    return error instanceof GenStageError ? error : undefined
  } catch {
    return undefined
  }
}

/** A value as an error message shows it: what it is and, if it is short, how it looks. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return value.toString()
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (value instanceof Map) return 'a Map'
  if (value instanceof Set) return 'a Set'
  return 'an object'
}

/** The nearest of `known` to a misspelt `word`, as the end of a sentence; empty if none is near. */
export function suggestion(word: string, known: Iterable<string>): string {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : `; did you mean ${best}?`
}

/** Levenshtein's distance, by the two-row method. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/** A reason in a few words, for the log and for messages. */
export function describeReason(reason: Reason): string {
  if (reason.type === 'error') return describeError(reason.error)
  if (reason.type === 'other') return plain(reason.value)
  if (reason.type === 'shutdown' && reason.detail !== undefined) return `shutdown (${plain(reason.detail)})`
  return reason.type
}

/** What was thrown may be anything, also something that throws when it is looked at (F12). */
function describeError(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : `error ${plain(error)}`
  } catch {
    return 'an error that cannot be read'
  }
}

/** Text as it is, everything else as messages show it. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : show(value)
}
