import { claimSame } from '@genstage/testing'

/** Throws unless both are the same as data: the order of fields does not matter, nor whether one that is undefined is there. */
export function same(actual: unknown, wanted: unknown, what: string): void {
  claimSame(canonical(actual), canonical(wanted), what)
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, canonical(field)]))
}

/** The fields of `from` that `like` has, in the order of `like`. */
export function picked(from: object, like: object): object {
  const fields = new Map<string, unknown>(Object.entries(from))
  return Object.fromEntries(Object.keys(like).map(field => [field, fields.get(field)]))
}

/** The code of what a call is refused with. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
    return 'nothing was refused'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
