import type { Cell } from '../harness/cell-request.ts'
import { measureRate, type RateFigures, type RateSettings } from '../harness/measure-rate.ts'
import { loadSubject, ways } from './subject.ts'

/** Measures one cell in this process: one way (its `peer`) of doing a workload (`node/objects`). */
export async function measure(request: Cell & { readonly settings: RateSettings }): Promise<RateFigures> {
  const [id = '', name = ''] = request.workload.split('/')
  const { comparisons } = await loadSubject(id)
  const comparison = comparisons[name]
  const way = ways.find(each => each === request.peer)
  if (comparison === undefined || way === undefined) throw new Error(`no workload "${request.workload}" done "${request.peer}"`)
  return measureRate({ ...comparison, run: comparison[way] }, request.settings)
}
