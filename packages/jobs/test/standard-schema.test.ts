import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { JobsError } from '../src/errors.ts'
import { encodeResult, kind, prepareArgs, readArgs } from '../src/kind.ts'
import { isStandardSchema, type SchemaResult, type StandardSchema, validate } from '../src/standard-schema.ts'
import { refused } from './support/refusal.ts'

const schemas: readonly (readonly [string, StandardSchema])[] = [
  ['zod', z.object({ user: z.object({ age: z.number() }), tags: z.array(z.string()) })],
  ['valibot', v.object({ user: v.object({ age: v.number() }), tags: v.array(v.string()) })],
  ['arktype', type({ user: { age: 'number' }, tags: 'string[]' })],
]

/** A promise of another make. */
function thenable<T>(value: T): PromiseLike<T> {
  const { then } = Promise.resolve(value)
  // oxlint-disable-next-line unicorn/no-thenable -- that is what it is to be
  return { then: (...listeners) => then.apply(Promise.resolve(value), listeners) } as PromiseLike<T>
}

describe.each(schemas)('a schema of %s', (_, schema) => {
  it('is one', () => {
    expect(isStandardSchema(schema)).toBe(true)
  })

  it('lets pass what fits', () => {
    const value = { user: { age: 5 }, tags: ['a'] }
    expect(validate(schema, value, 'args', 'mail')).toEqual(value)
  })

  it('refuses what does not, and names the place', () => {
    const error = refused('INVALID_ARGS', () => validate(schema, { user: { age: '5' }, tags: ['a', 1] }, 'args', 'mail'))
    // In which order they come is the library's affair
    expect(error.message).toMatch(/^kind "mail": (?=.*args\.user\.age: .)(?=.*args\.tags\[1\]: .)/)
    expect(error.issues?.map(issue => issue.path).sort()).toEqual(['args.tags[1]', 'args.user.age'])
    expect(error).toMatchObject({ kind: 'mail', path: error.issues?.[0]?.path })
    expect(refused('INVALID_ARGS', () => validate(schema, undefined, 'args', 'mail')).path).toBe('args')
  })
})

describe('a schema', () => {
  it('may check by a promise', async () => {
    const schema = z
      .string()
      .refine(async text => text !== 'taken', 'is taken')
      .transform(async text => text.length)
    await expect(validate(schema, 'free', 'args', 'mail')).resolves.toBe(4)
    await expect(validate(schema, 'taken', 'args', 'mail')).rejects.toMatchObject({
      code: 'INVALID_ARGS',
      message: 'kind "mail": args: is taken',
    })
  })

  it('may check by a promise of any make, and refuses what it refuses', async () => {
    const schemaOf = (answer: SchemaResult<unknown>): StandardSchema => ({
      '~standard': { version: 1, vendor: 'own', validate: () => thenable(answer) as Promise<SchemaResult<unknown>> },
    })
    await expect(validate(schemaOf({ value: 4 }), 'x', 'args', 'mail')).resolves.toBe(4)
    const refusing = schemaOf({ issues: [{ message: 'is refused' }] })
    await expect(validate(refusing, 'x', 'args', 'mail')).rejects.toMatchObject({ code: 'INVALID_ARGS' })
    await expect(prepareArgs(kind('mail', { args: refusing }), 'x')).rejects.toMatchObject({ code: 'INVALID_ARGS' })
    expect(await prepareArgs(kind('mail', { args: schemaOf({ value: 4 }) }), 'x')).toBe('"x"')
    await expect(readArgs(kind('mail', { args: refusing }), 1, '"x"')).rejects.toMatchObject({ code: 'INVALID_ARGS' })
    refused('INVALID_ARGS', () => encodeResult(kind('mail', { result: refusing }), 'x'))
    const upgrade = (args: unknown): unknown => thenable(`${String(args)}!`)
    await expect(readArgs(kind('mail', { version: 2, upgrade }), 1, '"x"')).resolves.toBe('x!')
  })

  it('may throw, which is a refusal too', async () => {
    const cause = new Error('no')
    const schemaOf = (check: () => never | Promise<never>): StandardSchema => ({
      '~standard': { version: 1, vendor: 'own', validate: check },
    })
    const throwing = schemaOf(() => {
      throw cause
    })
    expect(refused('INVALID_ARGS', () => validate(throwing, 1, 'args', 'mail'))).toMatchObject({
      message: 'kind "mail": the schema of the args failed',
      cause,
    })
    const rejected = Promise.resolve(
      validate(
        schemaOf(() => Promise.reject(cause)),
        1,
        'args',
        'mail',
      ),
    )
    await expect(rejected).rejects.toBeInstanceOf(JobsError)
    await expect(rejected).rejects.toMatchObject({ code: 'INVALID_ARGS', cause })
  })

  it('tells the first three issues, and how many there are', () => {
    const error = refused('INVALID_ARGS', () => validate(z.array(z.string()), [1, 2, 3, 4, 5], 'args', 'mail'))
    expect(error.message).toMatch(/args\[2\]: [^;]+ \(and 2 more\)$/)
    expect(error.issues).toHaveLength(5)
  })

  it('is told from everything else', () => {
    const standard = { version: 1, vendor: 'x', validate: () => ({ value: 1 }) }
    expect(isStandardSchema({ '~standard': standard })).toBe(true)
    for (const other of [
      undefined,
      null,
      5,
      'zod',
      {},
      () => 1,
      { '~standard': null },
      { '~standard': { ...standard, version: 2 } },
    ])
      expect(isStandardSchema(other)).toBe(false)
    expect(isStandardSchema({ '~standard': { version: 1, validate: 5 } })).toBe(false)
  })
})
