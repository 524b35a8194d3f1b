import { join } from 'node:path'
import { Child } from './child-process.ts'
import type { Look } from './child/look.ts'
import { codeOf } from './scenario.ts'

/** What became of a file that was opened: it was read, it was refused, or the driver took its process along. */
export type Reading = Look | 'refused' | 'ended the process'

/** A damaged header may name another application, or a newer schema; a damaged schema may be one that lacks a column. */
const refusals: ReadonlySet<string> = new Set(['STORE_CORRUPT', 'BAD_CONFIG', 'SCHEMA_TOO_NEW', 'STORE_FAILED'])

/** Opens files in a process of its own, in another one where that has died. */
export class Reader {
  readonly #start: () => Child
  #child: Child | undefined

  constructor(program: string, place: string, name: string) {
    const opening = { path: join(place, `${name}.db`), ledger: join(place, `${name}.ledger`) }
    this.#start = () => new Child({ program, opening, execArgv: ['--expose-gc'] })
  }

  async open(path: string): Promise<Reading> {
    this.#child ??= this.#start()
    try {
      await this.#child.ready
      return await this.#child.ask('look', path)
    } catch (error) {
      const code = codeOf(error)
      if (refusals.has(code)) return 'refused'
      if (code !== 'EXITED') throw error
      this.#child = undefined
      return 'ended the process'
    }
  }

  async end(): Promise<void> {
    await this.#child?.kill()
  }
}
