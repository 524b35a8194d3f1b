import { GenStageError } from '@genstage/core'
import { badOption, show, suggestion } from '@genstage/core/adapters'
import { JobsError } from './errors.ts'
import { isKind, type Kind } from './kind.ts'

/**
 * The kinds that a client or a runner knows, by name. The one way from a stored name to a function: what was not registered here is never
 * called, whatever a store says (BAD-89).
 */
export class KindRegistry {
  readonly #kinds = new Map<string, Kind>()

  /** Refuses what was not made by `kind`, and two kinds of one name, with `BAD_OPTION` (BAD-107). */
  constructor(where: string, kinds: unknown) {
    if (!Array.isArray(kinds)) throw badOption(where, 'kinds', kinds, 'an array of kinds')
    for (const [index, each] of (kinds as unknown[]).entries()) {
      if (!isKind(each)) throw badOption(where, `kinds[${index}]`, each, 'a kind, as kind() makes them')
      if (this.#kinds.has(each.name)) throw badOption(where, `kinds[${index}]`, each.name, 'of another name than those before it')
      this.#kinds.set(each.name, each)
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#kinds.size
  }

  /** The names of those that have a handler. */
  get handled(): readonly string[] {
    return [...this.#kinds.values()].filter(each => each.handler !== undefined).map(each => each.name)
  }

  /** Refuses with `BAD_OPTION` where none of them has a handler: a runner could run nothing. */
  refuseWithoutHandler(where: string): void {
    if (this.handled.length > 0) return
    const names = this.#someNames()
    const problem = names === '' ? 'no kinds were given' : `none of ${names} has one (handledBy gives it)`
    const message = `${where}: at least one of kinds must have a handler; ${problem}`
    throw new GenStageError('BAD_OPTION', message, { option: 'kinds' })
  }

  /** The kind of that name, if there is one. */
  find(name: string): Kind | undefined {
    return this.#kinds.get(name)
  }

  /** The kind of that name; `UNKNOWN_KIND`, with the nearest name, if there is none. */
  get(name: string): Kind {
    const found = this.#kinds.get(name)
    if (found !== undefined) return found
    const hint = suggestion(name, this.#kinds.keys()) || `; known are ${this.#someNames() || 'none'}`
    throw new JobsError('UNKNOWN_KIND', `there is no kind ${show(name)} here${hint}`, { kind: name })
  }

  /** For a message: not all of a long list. */
  #someNames(): string {
    const names = [...this.#kinds.keys()]
    return `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`
  }
}
