import { asyncDisposeSymbol } from './platform.ts'
import type { Address } from './protocol.ts'

/** What all refs have in common: they lead to an address, they can be told from other objects, and they are disposable. */
export abstract class RefBase implements AsyncDisposable {
  declare readonly [Symbol.asyncDispose]: () => Promise<void>
  readonly #address: Address

  constructor(address: Address) {
    this.#address = address
  }

  /** What is done at the end of `await using`. */
  protected abstract dispose(): Promise<void>

  /** Where a ref leads to; undefined for what is no ref. */
  static addressOf(value: unknown): Address | undefined {
    return typeof value === 'object' && value !== null && #address in value ? value.#address : undefined
  }

  // The symbols are not written as computed names: not every browser has the first yet, and the second is Node's, which otherwise
  // (and chai as well) would take the method `inspect` for one that prints
  static {
    Object.defineProperty(RefBase.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value(this: RefBase): string {
        const { id, ref } = this.#address
        return ref.name === undefined ? `StageRef <${id}>` : `StageRef <${id} ${JSON.stringify(ref.name)}>`
      },
    })
    Object.defineProperty(RefBase.prototype, asyncDisposeSymbol, {
      value(this: RefBase): Promise<void> {
        return this.dispose()
      },
    })
  }
}

export function isRef(value: unknown): boolean {
  return RefBase.addressOf(value) !== undefined
}
