import { countStep, mostEvents, workloads } from '../core/workloads.ts'
import type { Cell } from '../harness/cell-request.ts'
import { measureRate, type RateFigures, type RateSettings } from '../harness/measure-rate.ts'
import { compared, pipelines, type ComparedId, type Core } from './pipelines.ts'
import { isVariantId, type VariantId } from './variants.ts'
import { coreWithoutTelemetry } from './without-telemetry.ts'

/** Measures one cell in this process: a variant (its `peer`) at a workload. */
export async function measure(request: Cell & { readonly settings: RateSettings }): Promise<RateFigures> {
  const { peer: variant, workload, settings } = request
  if (!isVariantId(variant)) throw new Error(`no variant "${variant}"`)
  const id = compared.find(each => each === workload)
  if (id === undefined) throw new Error(`no workload "${workload}" to compare`)
  return measureRate(await taskOf(variant, id), settings)
}

async function taskOf(variant: VariantId, id: ComparedId) {
  const specifier = variant === 'bare' ? coreWithoutTelemetry : '@genstage/core'
  const core = (await import(specifier)) as Core
  const workload = workloads[id]
  return { run: pipelines(core, variant)[id], expected: workload.expected, step: countStep, most: mostEvents(workload) }
}
