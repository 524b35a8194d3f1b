/** Where lines of the log go; `console` fits. Core's own lines carry `LogFields`, those of user code whatever they like. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What comes with each line that core writes to the log. `code` is stable, numbers stand under the names that the rule uses (`n`, `max`). */
export interface LogFields {
  readonly code: LogCode
  /** Name or id of the stage. */
  readonly stage: string
  readonly [field: string]: unknown
}

/** One for each line of GS-O1, and for what goes beyond it. */
export type LogCode =
  | 'excess'
  | 'ask_over_max'
  | 'consumer_cannot_emit'
  | 'not_a_producer'
  | 'not_a_consumer'
  | 'duplicated_subscription'
  | 'already_subscribed'
  | 'bad_opts'
  | 'noproc'
  | 'no_demand_mode'
  | 'no_buffer'
  | 'stopping_on_cancel'
  | 'discarded'
  | 'unhandled_info'
  | 'protocol_error'
  | 'slow_setup'
  | 'partition_full'
  | 'resubscribing'
  | 'restarting'
  | 'child_failed'
  | 'stage_failed'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The level of each line (GS-O1). */
export const logLevels: Readonly<Record<LogCode, LogLevel>> = {
  excess: 'error',
  ask_over_max: 'warn',
  consumer_cannot_emit: 'error',
  not_a_producer: 'error',
  not_a_consumer: 'error',
  duplicated_subscription: 'error',
  already_subscribed: 'error',
  bad_opts: 'error',
  noproc: 'error',
  no_demand_mode: 'error',
  no_buffer: 'error',
  stopping_on_cancel: 'info',
  discarded: 'warn',
  unhandled_info: 'warn',
  protocol_error: 'error',
  slow_setup: 'warn',
  partition_full: 'warn',
  resubscribing: 'warn',
  restarting: 'warn',
  child_failed: 'error',
  stage_failed: 'error',
}

/** The logger of everyday: what needs attention goes to the console (on Node: to standard error), the rest nowhere. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => (fields === undefined ? console.warn(message) : console.warn(message, fields)),
  error: (message, fields) => (fields === undefined ? console.error(message) : console.error(message, fields)),
}
