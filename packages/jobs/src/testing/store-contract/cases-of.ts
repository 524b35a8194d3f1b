import type { ContractCase } from '@genstage/testing'
import { StoreBench } from './store-bench.ts'
import type { OpenStore } from './store-under-test.ts'

/** Makes the cases of one file: each with a store of its own, whose stats have to be right in the end. */
export function casesOf(
  open: OpenStore,
): (ids: string, name: string, body: (bench: StoreBench) => Promise<void>) => ContractCase {
  return (ids, name, body) => ({
    ids: ids.split(' '),
    name,
    run: async () => {
      const under = await open()
      try {
        const bench = new StoreBench(under)
        await body(bench)
        await bench.recount()
      } finally {
        await under.close()
      }
    },
  })
}
