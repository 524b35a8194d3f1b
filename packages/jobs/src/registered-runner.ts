import { decodePayload } from './payload.ts'
import type { StoredRunner } from './store.ts'

/** A runner as the store knows it. Times are milliseconds since 1970. */
export interface RegisteredRunner extends Omit<StoredRunner, 'metadata'> {
  /** As it was given to `startRunner`. */
  readonly metadata: unknown
}

/** A stored runner with its text read. */
export function toRegisteredRunner({ metadata, ...rest }: StoredRunner): RegisteredRunner {
  return { ...rest, metadata: metadata === undefined ? undefined : decodePayload(metadata) }
}
