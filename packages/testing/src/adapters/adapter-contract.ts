import type { ContractCase } from '../contract.ts'
import type { AdapterCapabilities, SinkAdapter, SourceAdapter } from './adapter.ts'
import { sinkCases } from './sink-cases.ts'
import { sourceCases } from './source-cases.ts'

/**
 * What every adapter has to keep to, as named cases for any test framework: what goes in comes out, in order and once; the end and the
 * failure of either side reach the other; the input is released once; nothing is taken that nobody wants; events are never looked into.
 *
 * ```ts
 * import { describe, it } from 'node:test'
 *
 * export function test(adapter: SourceAdapter): void {
 *   describe(adapter.name, () => {
 *     for (const { ids, name, run } of adapterContract(adapter, { takesSignal: true })) it(`${ids.join(' ')} ${name}`, async () => run())
 *   })
 * }
 * ```
 */
export function adapterContract(
  adapter: SourceAdapter | SinkAdapter,
  capabilities: AdapterCapabilities = {},
): readonly ContractCase[] {
  return adapter.kind === 'source' ? sourceCases(adapter, capabilities) : sinkCases(adapter, capabilities)
}
