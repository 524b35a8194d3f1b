import { JobsError } from './errors.ts'
import { decodeArgs, encodeArgs, encodePayload } from './payload.ts'
import { type StandardSchema, validate } from './standard-schema.ts'
import { isThenable } from './thenable.ts'

/** What a kind says of its args and results. */
export interface PayloadRules {
  readonly name: string
  /** What the args have to be. */
  readonly args: StandardSchema | undefined
  /** What results have to be. */
  readonly result: StandardSchema | undefined
  /** Of the args, as they are enqueued now. */
  readonly version: number
  /** Makes args of an earlier version those of this one. */
  readonly upgrade: Upgrade | undefined
}

/** Makes args of version `from` those of the version of the kind. May answer a promise. */
export type Upgrade = (args: unknown, from: number) => unknown

/**
 * Args as a job of this kind stores them: checked by its schema, but written as they were given, not as the schema makes them, because
 * they are checked again when they are read. `INVALID_ARGS`, `BAD_PAYLOAD`, `PAYLOAD_TOO_LARGE`; a promise only with an asynchronous schema.
 */
export function prepareArgs(kind: PayloadRules, args: unknown): string | Promise<string> {
  // Written first: a promise of the schema leaves time to change them
  const text = encodeArgs(args)
  if (kind.args === undefined) return text
  const valid = validate(kind.args, args, 'args', kind.name)
  return valid instanceof Promise ? valid.then(() => text) : text
}

/**
 * The args of a stored job as its handler gets them: read, brought up to the version of the kind, checked. Throws (or rejects with)
 * `VERSION_TOO_NEW` for a version that this kind does not know yet, `INVALID_ARGS` where the upgrade fails or the schema refuses them.
 * A promise only with an asynchronous schema or upgrade.
 */
export function readArgs(kind: PayloadRules, version: number, text: string): unknown {
  if (version > kind.version)
    throw new JobsError(
      'VERSION_TOO_NEW',
      `kind "${kind.name}": the args are of version ${version}, known here is ${kind.version}; a newer release has to handle the job`,
      { kind: kind.name },
    )
  const args = decodeArgs(text)
  if (version === kind.version) return checked(kind, args)
  const upgraded = upgrade(kind, args, version)
  return upgraded instanceof Promise ? upgraded.then(current => checked(kind, current)) : checked(kind, upgraded)
}

/** A result as it is stored: undefined for none. `INVALID_ARGS`, `BAD_PAYLOAD`, `PAYLOAD_TOO_LARGE`. */
export function encodeResult(kind: PayloadRules, value: unknown): string | undefined {
  const result = kind.result === undefined ? value : validate(kind.result, value, 'result', kind.name)
  if (result instanceof Promise && kind.result !== undefined) {
    result.catch(() => {}) // nobody will look at it
    throw new JobsError('INVALID_ARGS', `kind "${kind.name}": the schema of the result must check at once, not by a promise`, {
      kind: kind.name,
      path: 'result',
    })
  }
  return result === undefined ? undefined : encodePayload(result, 'result')
}

function checked(kind: PayloadRules, args: unknown): unknown {
  return kind.args === undefined ? args : validate(kind.args, args, 'args', kind.name)
}

function upgrade(kind: PayloadRules, args: unknown, from: number): unknown {
  try {
    const upgraded = kind.upgrade?.(args, from)
    return isThenable(upgraded) ? Promise.resolve(upgraded).catch((cause: unknown) => notUpgraded(kind, from, cause)) : upgraded
  } catch (cause) {
    return notUpgraded(kind, from, cause)
  }
}

function notUpgraded(kind: PayloadRules, from: number, cause: unknown): never {
  throw new JobsError('INVALID_ARGS', `kind "${kind.name}": the upgrade of args from version ${from} to ${kind.version} failed`, {
    kind: kind.name,
    path: 'args',
    cause,
  })
}
