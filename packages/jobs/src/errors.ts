/** Stable codes of what this package refuses or reports. Bad options throw core's `GenStageError` with `BAD_OPTION`. */
export type JobsErrorCode =
  // refused at the call
  | 'BAD_PAYLOAD'
  | 'PAYLOAD_TOO_LARGE'
  | 'BAD_NAME'
  | 'UNKNOWN_KIND'
  | 'INVALID_ARGS'
  | 'ID_CONFLICT'
  | 'QUEUE_NOT_EMPTY'
  | 'UNKNOWN_QUEUE'
  | 'UNKNOWN_JOB'
  | 'STOPPED'
  // how a job ended, when somebody waits for its result
  | 'JOB_FAILED'
  | 'JOB_DISCARDED'
  | 'JOB_CANCELLED'
  | 'JOB_REMOVED'
  | 'TIMEOUT'
  // what happened to an attempt
  | 'LEASE_LOST'
  | 'JOB_TIMEOUT'
  | 'HANDLER_STUCK'
  | 'STRAY_ERROR'
  | 'RUNNER_CRASHED'
  | 'WORKER_THREAD_EXIT'
  | 'VERSION_TOO_NEW'
  | 'EVENT_LOOP_BLOCKED'
  // the store
  | 'BAD_CONFIG'
  | 'STORE_UNAVAILABLE'
  | 'STORE_BUSY'
  | 'STORE_FULL'
  | 'STORE_READ_ONLY'
  | 'STORE_CORRUPT'
  | 'STORE_FAILED'
  | 'SCHEMA_TOO_NEW'

/** What a program may want to know besides the code. */
export interface JobsErrorDetails {
  /** Id of the job concerned. */
  readonly job?: string | undefined
  readonly kind?: string | undefined
  readonly queue?: string | undefined
  /** The argument concerned, or the path inside a payload: `args.user.born`. */
  readonly path?: string | undefined
  /** Which of several jobs it is about: its place in the array that was given. */
  readonly index?: number | undefined
  /** What a Standard Schema said. */
  readonly issues?: readonly { readonly message: string; readonly path?: string }[] | undefined
  readonly cause?: unknown
}

/** The one error class of the job packages: a stable `code`, a message that names what was given and what is allowed. */
export class JobsError extends Error {
  override readonly name: 'JobsError'
  readonly code: JobsErrorCode
  // Only declared: what is not known is no member, so that a printed error has no line for it
  declare readonly job: string | undefined
  declare readonly kind: string | undefined
  declare readonly queue: string | undefined
  declare readonly path: string | undefined
  declare readonly index: number | undefined
  declare readonly issues: readonly { readonly message: string; readonly path?: string }[] | undefined

  constructor(code: JobsErrorCode, message: string, details: JobsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'JobsError'
    this.code = code
    const { job, kind, queue, path, index, issues } = details
    if (job !== undefined) this.job = job
    if (kind !== undefined) this.kind = kind
    if (queue !== undefined) this.queue = queue
    if (path !== undefined) this.path = path
    if (index !== undefined) this.index = index
    if (issues !== undefined) this.issues = issues
  }
}
