/** The words that traces use for reasons and errors, and what the library has for them. */
import { GenStageError, normal, shutdown } from '@genstage/core'
import type { ErrorCode, Reason } from '@genstage/core'

interface Refusal {
  readonly token: string
  readonly code: ErrorCode
  /** Absent: whatever the option. */
  readonly option?: string
}

/** The first that fits counts, so the ones with an option stand before the one without. */
const refusals: readonly Refusal[] = [
  { token: 'error:partition_required', code: 'BAD_OPTION', option: 'partition' },
  { token: 'error:bad_selector', code: 'BAD_OPTION', option: 'selector' },
  { token: 'error:partitions_required', code: 'BAD_OPTION', option: 'partitions' },
  { token: 'error:hash_required', code: 'BAD_OPTION', option: 'hash' },
  { token: 'error:unknown_partition', code: 'UNKNOWN_PARTITION', option: 'hash' },
  { token: 'error:partition_unknown', code: 'UNKNOWN_PARTITION', option: 'partition' },
  { token: 'error:partition_taken', code: 'PARTITION_TAKEN' },
  { token: 'error:bad_hash', code: 'BAD_RETURN', option: 'hash' },
  { token: 'error:bad_return', code: 'BAD_RETURN' },
  { token: 'error:invalid_demand', code: 'BAD_DEMAND' },
  { token: 'error:not_a_consumer', code: 'NOT_A_CONSUMER' },
  { token: 'error:not_a_producer', code: 'NOT_A_PRODUCER' },
  { token: 'already_subscribed', code: 'ALREADY_SUBSCRIBED' },
]

const badOption = 'error:bad_opts:'

/** The token of the reason why a stage or a subscription ended. */
export function reasonToken(reason: Reason): string {
  switch (reason.type) {
    case 'shutdown':
      return reason.detail === undefined ? 'shutdown' : `shutdown:${wordOf(reason.detail)}`
    case 'error':
      return errorToken(reason.error)
    case 'other':
      return wordOf(reason.value)
    case 'normal':
    case 'killed':
    case 'noproc':
    case 'noconnection':
      return reason.type
  }
}

/** The token of something thrown. What the library only wraps counts as what is inside. */
export function errorToken(error: unknown): string {
  if (!(error instanceof GenStageError)) return `error:${error instanceof Error ? error.message : wordOf(error)}`
  const known = refusals.find(({ code, option }) => code === error.code && (option ?? error.option) === error.option)
  if (known) return known.token
  if (error.code === 'BAD_OPTION') return `${badOption}${error.option}`
  if (error.reason) return reasonToken(error.reason)
  if (error.cause !== undefined) return errorToken(error.cause)
  return `error:${error.code.toLowerCase()}`
}

/** The reason that a token stands for: the opposite of `reasonToken`. */
export function reasonOf(token: string): Reason {
  if (token === 'normal') return normal
  if (token === 'shutdown') return shutdown()
  if (token.startsWith('shutdown:')) return shutdown(token.slice('shutdown:'.length))
  if (token === 'killed' || token === 'noproc' || token === 'noconnection') return { type: token }
  const error = errorOf(token)
  return error ? { type: 'error', error } : { type: 'other', value: token }
}

/** The error that a token stands for, if it stands for one: the opposite of `errorToken`. */
export function errorOf(token: string): Error | undefined {
  const known = refusals.find(refusal => refusal.token === token)
  if (known) return new GenStageError(known.code, token, known.option === undefined ? {} : { option: known.option })
  if (token.startsWith(badOption)) return new GenStageError('BAD_OPTION', token, { option: token.slice(badOption.length) })
  return token.startsWith('error:') ? new Error(token.slice('error:'.length)) : undefined
}

/** Scenarios give words as reasons; anything else that turns up is shown as it is. */
function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
