import { GenStageError } from '@genstage/core'
import { show, suggestion } from '@genstage/core/adapters'
import type { Opening } from '../messages.ts'

/** What a definition is behind its types: what `start` makes a stage of. */
export interface Defined {
  readonly type: string
  readonly setup: (arg: unknown, ctx: unknown) => unknown
}

/**
 * Imports the module of the stage, and takes the definition out of it. Throws what the import throws; `BAD_OPTION` if there is no such
 * export, or if it is no definition of this kind.
 */
export async function load({ module, export: name, type, label }: Opening): Promise<Defined> {
  const exports = (await import(module)) as Readonly<Record<string, unknown>>
  const refuse = (option: string, why: string): GenStageError =>
    new GenStageError('BAD_OPTION', `stage ${show(label)}: ${why} (in ${module})`, { stage: label, option })
  if (!Object.hasOwn(exports, name)) {
    throw refuse('export', `its module has no export ${show(name)}${suggestion(name, Object.keys(exports))}`)
  }
  const definition = exports[name]
  if (!isDefinition(definition)) throw refuse('export', `the export ${show(name)} must be a definition, not ${show(definition)}`)
  if (definition.type === type) return definition
  const isRunnable = definition.type === 'consumer' || definition.type === 'producerConsumer'
  const way = isRunnable ? `; write type: '${definition.type}'` : ', and only consumers and producerConsumers run on a thread'
  throw refuse('type', `the export ${show(name)} is a ${definition.type}, not a ${type}${way}`)
}

/** By its shape: a module may have another copy of core than this one, as a CommonJS module beside an ES module has. */
function isDefinition(value: unknown): value is Defined {
  if (typeof value !== 'object' || value === null) return false
  return 'type' in value && typeof value.type === 'string' && 'setup' in value && typeof value.setup === 'function'
}
