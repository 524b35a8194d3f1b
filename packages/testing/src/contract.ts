/**
 * One case of a contract suite: a sentence with the ids of the rules it holds, and a function that throws an error one can read when
 * the thing under test does not keep to it. Needs no test framework.
 *
 * ```ts
 * import type { ContractCase } from '@genstage/testing'
 *
 * async function runAll(cases: readonly ContractCase[]) {
 *   for (const { name, run } of cases) {
 *     await run()
 *     console.log('kept:', name)
 *   }
 * }
 * await runAll([{ ids: ['INV-5'], name: 'keeps the order', run: () => {} }]) // => kept: keeps the order
 * ```
 */
export interface ContractCase {
  /** What holds, as a sentence; it does not contain the ids. */
  readonly name: string
  /** The rules it belongs to, such as `INV-5` or `GS-D3`. */
  readonly ids: readonly string[]
  /** Resolves, or returns, when the contract is kept; throws a {@link ContractError} when it is not. */
  run(): void | Promise<void>
}

/** The contract is broken: the message says what was expected and what came. */
export class ContractError extends Error {
  override readonly name: string = 'ContractError'
}

/** Throws a {@link ContractError} unless `holds`. */
export function claim(holds: boolean, message: string | (() => string)): asserts holds {
  if (!holds) throw new ContractError(typeof message === 'string' ? message : message())
}

/** Throws a {@link ContractError} unless both are the same as JSON: for lists of plain events. */
export function claimSame(actual: unknown, expected: unknown, what: string): void {
  const [came, wanted] = [picture(actual), picture(expected)]
  claim(came === wanted, () => `${what}: expected ${wanted}, but got ${came}`)
}

function picture(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Error) return `${part.name}: ${part.message}`
    return part === undefined || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part
  })
}
