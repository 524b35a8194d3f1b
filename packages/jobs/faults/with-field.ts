import { Field, type FieldOptions } from './field.ts'
import type { Context } from './scenario.ts'
import type { Tally } from './tally.ts'

/** Does something on a store, waits until nothing is left to do there, and checks all of it. */
export async function withField(context: Context, options: FieldOptions, work: (field: Field) => Promise<void>): Promise<Tally> {
  const field = new Field(context, options)
  try {
    await work(field)
    return await field.finish()
  } finally {
    await field.close()
  }
}
