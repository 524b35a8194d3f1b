import { JobsError } from './errors.ts'
import { pathStep } from './payload-encoder.ts'
import { isThenable } from './thenable.ts'

/**
 * A schema of any library that speaks Standard Schema (zod, valibot, arktype and many others). The types are those of the
 * specification, https://standardschema.dev, which asks to copy them.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with it. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What is given to a schema. */
export type SchemaInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input']

/** What comes out of it. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** Whether it is a schema that we can use; some libraries make functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value)) return false
  const standard = value['~standard']
  if (typeof standard !== 'object' || standard === null) return false
  return 'version' in standard && standard.version === 1 && 'validate' in standard && typeof standard.validate === 'function'
}

/**
 * What a schema makes of a value; a promise where the schema is asynchronous. `INVALID_ARGS`, with the issues, if it refuses it.
 * `what` is what the value is called in messages (`args`), `kind` whose it is.
 */
export function validate(schema: StandardSchema, value: unknown, what: string, kind: string): unknown {
  let answer: SchemaResult<unknown> | Promise<SchemaResult<unknown>>
  try {
    const given: SchemaResult<unknown> | PromiseLike<SchemaResult<unknown>> = schema['~standard'].validate(value)
    // A promise of any make: one that is taken for a result would let everything pass
    answer = isThenable(given) ? Promise.resolve(given) : given
  } catch (cause) {
    throw schemaFailed(what, kind, cause)
  }
  if (!(answer instanceof Promise)) return outputOf(answer, what, kind)
  return answer.then(
    result => outputOf(result, what, kind),
    (cause: unknown) => {
      throw schemaFailed(what, kind, cause)
    },
  )
}

function outputOf(result: SchemaResult<unknown>, what: string, kind: string): unknown {
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(issue => ({ message: issue.message, path: pathText(what, issue.path) }))
  const shown = issues.slice(0, 3).map(issue => `${issue.path}: ${issue.message}`)
  const more = issues.length > shown.length ? ` (and ${issues.length - shown.length} more)` : ''
  throw new JobsError('INVALID_ARGS', `kind "${kind}": ${shown.join('; ') || `${what} are refused`}${more}`, {
    kind,
    issues,
    path: issues[0]?.path ?? what,
  })
}

function schemaFailed(what: string, kind: string, cause: unknown): JobsError {
  return new JobsError('INVALID_ARGS', `kind "${kind}": the schema of the ${what} failed`, { kind, path: what, cause })
}

function pathText(what: string, path: SchemaIssue['path'] = []): string {
  return path.reduce<string>((before, segment) => before + pathStep(typeof segment === 'object' ? segment.key : segment), what)
}
