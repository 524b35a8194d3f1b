import { badOption, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import { type Backoff, checkBackoff, defaultBackoff } from './backoff.ts'
import type { JobContext } from './job-context.ts'
import type { Upgrade } from './kind-payloads.ts'
import { type CommonJobOptions, commonJobOptions, commonSettings, defaultJobSettings, type JobSettings } from './job-settings.ts'
import type { AnyHandler, Kind } from './kind-type.ts'
import { checkKindName } from './names.ts'
import { wholeIn } from './numbers.ts'
import type { Outcome } from './outcome.ts'
import { isStandardSchema, type SchemaInput, type SchemaOutput, type StandardSchema } from './standard-schema.ts'

export { encodeResult, prepareArgs, readArgs } from './kind-payloads.ts'
export type { Kind } from './kind-type.ts'

/** Shared by all copies of this package in a process. */
const brand: unique symbol = Symbol.for('@genstage/jobs:kind')

/** A kind that can only be enqueued, until it is given a handler. */
export interface DeclaredKind<in Args, out Result, HandlerArgs = Args, Returned = Result> extends Kind<Args, Result> {
  /** The same kind with a handler: one process declares and enqueues, another one handles. Refuses what is no function with `BAD_OPTION`. */
  handledBy(handler: Handler<HandlerArgs, Returned>): Kind<Args, Result>
}

/** Does a job: returns its result, or an outcome. What it throws is the failure of the attempt. */
export type Handler<Args, Result> = (args: Args, job: JobContext) => Result | Outcome | PromiseLike<Result | Outcome>

/** What results a handler has: what it returns, without outcomes. */
export type ResultOf<Returned> = Exclude<Awaited<Returned>, Outcome>

/** Options of every kind. */
export interface KindOptions extends CommonJobOptions {
  /** How long to wait before another attempt. Default `exponential()`. */
  readonly backoff?: Backoff
  /** Of the args: raise it with every change that handlers must know of. A whole number from 1; default 1. */
  readonly version?: number
  /** From version 2 on: makes args that were stored with version `from` those of this version. */
  readonly upgrade?: Upgrade
}

/**
 * A handler whose types are written out for `kind`. Where they are not, `Result` is `never` and no handler fits: the overloads that come
 * next infer them. This one has to come first, because a compiler takes what a function returns for settled once it has looked at it.
 */
type WrittenHandler<Args, Result> = (
  args: Args,
  job: JobContext,
) => [Result] extends [never] ? never : Result | Outcome | PromiseLike<Result | Outcome>

/** With a schema of the results, what the handler returns has to fit; without one it may return anything. */
type Fitting<Schema extends StandardSchema> =
  unknown extends SchemaInput<Schema> ? unknown : SchemaInput<Schema> | Outcome | PromiseLike<SchemaInput<Schema> | Outcome>

/** What the result is: as the schema says if there is one, else as the handler says. */
type ResultFrom<Schema extends StandardSchema, Returned> =
  unknown extends SchemaOutput<Schema> ? ResultOf<Returned> : SchemaOutput<Schema>

/**
 * A kind of job, with the function that does it. The types of args and result are those of the handler.
 *
 * ```ts
 * const welcome = kind('mail.welcome', async (args: { readonly to: string }) => `sent to ${args.to}`)
 * console.log(welcome.name, welcome.defaults.maxAttempts) // => mail.welcome 3
 * ```
 *
 * In place of the handler it takes options, the handler among them. `args` and `result` are schemas of any library that speaks
 * Standard Schema. Args are checked when the job is enqueued, and stored as they were given; when it is handled they are checked again,
 * and the handler gets what comes out of the schema. A result is checked when the handler returns, at once, and what comes out of
 * its schema is stored.
 *
 * ```ts
 * const resize = kind('image.resize', {
 *   queue: 'images',
 *   timeoutMs: 30_000,
 *   version: 2,
 *   upgrade: (args, from) => (from === 1 ? { file: args, width: 100 } : args),
 *   handler: (args: { readonly file: string; readonly width: number }) => args.width,
 * })
 * console.log(resize.defaults.queue, resize.version) // => images 2
 * ```
 *
 * Without a handler the kind can be enqueued, and another process handles it: `resize.handledBy(…)`. Its types are then those of the
 * schemas, or written out: `kind<{ to: string }, void>('mail.welcome')`. They can be written out for a kind with a handler too, which then
 * returns the result, a promise of it, or an outcome.
 *
 * Refuses a bad name with `BAD_NAME`, bad options with `BAD_OPTION`.
 */
export function kind<Args = void, Result = never>(
  name: string,
  handler: WrittenHandler<Args, NoInfer<Result>>,
): Kind<Args, Result>
export function kind<Args = void, Result = never>(
  name: string,
  options: KindOptions & {
    readonly args?: undefined
    readonly result?: StandardSchema<NoInfer<Result>>
    readonly handler: WrittenHandler<Args, NoInfer<Result>>
  },
): Kind<Args, Result>
export function kind<Args = void, Returned = unknown>(
  name: string,
  handler: (args: Args, job: JobContext) => Returned,
): Kind<Args, ResultOf<Returned>>
export function kind<
  ArgsSchema extends StandardSchema,
  Returned extends Fitting<ResultSchema>,
  ResultSchema extends StandardSchema = StandardSchema,
>(
  name: string,
  options: KindOptions & {
    readonly args: ArgsSchema
    readonly result?: ResultSchema
    readonly handler: (args: SchemaOutput<ArgsSchema>, job: JobContext) => Returned
  },
): Kind<SchemaInput<ArgsSchema>, ResultFrom<ResultSchema, Returned>>
export function kind<
  Args = void,
  Returned extends Fitting<ResultSchema> = unknown,
  ResultSchema extends StandardSchema = StandardSchema,
>(
  name: string,
  options: KindOptions & {
    readonly args?: undefined
    readonly result?: ResultSchema
    readonly handler: (args: Args, job: JobContext) => Returned
  },
): Kind<Args, ResultFrom<ResultSchema, Returned>>
export function kind<ArgsSchema extends StandardSchema, ResultSchema extends StandardSchema = StandardSchema>(
  name: string,
  options: KindOptions & { readonly args: ArgsSchema; readonly result?: ResultSchema; readonly handler?: undefined },
): DeclaredKind<SchemaInput<ArgsSchema>, SchemaOutput<ResultSchema>, SchemaOutput<ArgsSchema>, SchemaInput<ResultSchema>>
export function kind<Args = void, Result = unknown>(
  name: string,
  options?: KindOptions & { readonly args?: undefined; readonly result?: StandardSchema<Result>; readonly handler?: undefined },
): DeclaredKind<Args, Result>
export function kind(name: string, given?: unknown): Kind {
  const checked = checkKindName(name)
  return typeof given === 'function' && !isStandardSchema(given)
    ? makeKind(checked, { handler: given })
    : makeKind(checked, ownOptions(`kind "${checked}"`, given))
}

const known = [...commonJobOptions, 'handler', 'args', 'result', 'version', 'upgrade', 'backoff']

function makeKind(name: string, own: OwnOptions): Kind {
  const where = `kind "${name}"`
  refuseUnknown(where, own, known)
  const defaults: JobSettings = Object.freeze(commonSettings(where, own, defaultJobSettings))
  const made: Kind & { readonly [brand]: true } = {
    [brand]: true,
    name,
    handler: aFunction<AnyHandler>(where, own, 'handler'),
    args: aSchema(where, own, 'args'),
    result: aSchema(where, own, 'result'),
    ...versionOf(where, own),
    backoff: own['backoff'] === undefined ? defaultBackoff : checkBackoff(where, own['backoff']),
    defaults,
    timeoutMs: defaults.timeoutMs,
  }
  if (made.handler !== undefined) return Object.freeze(made)
  const declared: DeclaredKind<never, unknown> = {
    ...made,
    handledBy: handler => makeKind(name, { ...own, handler: mandatory(where, handler) }),
  }
  return Object.freeze(declared)
}

function versionOf(where: string, own: OwnOptions): { readonly version: number; readonly upgrade: Upgrade | undefined } {
  const version = wholeIn(where, own, 'version', 1, 1, 2 ** 31 - 1)
  const upgrade = aFunction<Upgrade>(where, own, 'upgrade')
  // Jobs of the versions before may still be stored
  if (version > 1 && upgrade === undefined)
    throw badOption(where, 'upgrade', undefined, `a function, because version is ${version}`)
  if (version === 1 && upgrade !== undefined) throw badOption(where, 'version', version, 'above 1, because there is an upgrade')
  return { version, upgrade }
}

function aFunction<T>(where: string, own: OwnOptions, option: string): T | undefined {
  const value = own[option]
  if (value === undefined || typeof value === 'function') return value as T | undefined
  throw badOption(where, option, value, 'a function')
}

function mandatory(where: string, handler: unknown): unknown {
  if (typeof handler === 'function') return handler
  throw badOption(where, 'handler', handler, 'a function')
}

function aSchema(where: string, own: OwnOptions, option: string): StandardSchema | undefined {
  const value = own[option]
  if (value === undefined || isStandardSchema(value)) return value
  throw badOption(where, option, value, 'a schema that speaks Standard Schema (zod, valibot, arktype …)')
}

/** The handler of a kind, as the engine calls it with args that were checked. Undefined if it has none. */
export function handlerOf({ handler }: Kind): ((args: unknown, job: JobContext) => unknown) | undefined {
  // Only `kind` makes kinds, and it takes such functions alone
  return handler as ((args: unknown, job: JobContext) => unknown) | undefined
}

/** Whether it is a kind that `kind` made. */
export function isKind(value: unknown): value is Kind {
  return typeof value === 'object' && value !== null && brand in value
}
