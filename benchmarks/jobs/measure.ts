import type { Cell } from '../harness/cell-request.ts'
import type { Figures } from './figures.ts'
import type { JobSystem } from './job-system.ts'
import { measureBacklog } from './measure-backlog.ts'
import { measureEnqueue } from './measure-enqueue.ts'
import { measureFreshMachine } from './measure-fresh-machine.ts'
import { measureImport } from './measure-import.ts'
import { measureLatency } from './measure-latency.ts'
import { measureProcess } from './measure-process.ts'
import type { JobsSettings } from './settings.ts'
import { isOwn, isSystemId, loadSystem } from './systems/index.ts'
import { type WorkloadId, workloads } from './workloads.ts'

/** Measures one cell in this process. */
export async function measure({ peer, workload: id, settings }: Cell & { readonly settings: JobsSettings }): Promise<Figures> {
  if (!isSystemId(peer) || !Object.hasOwn(workloads, id)) throw new Error(`no cell ${peer} of ${id}`)
  const workload = workloads[id as WorkloadId]
  const system = await loadSystem(peer)
  switch (workload.kind) {
    case 'enqueue':
      return measureEnqueue(system, workload, settings)
    case 'process':
      return measureProcess(system, workload, settings)
    case 'latency':
      return measureLatency(system, settings)
    case 'backlog':
      return measureBacklog(system, { ...settings.backlog, backlog: backlogOf(settings, isOwn(peer)) })
    case 'import':
      return measureImport(moduleOf(system), settings)
    case 'fresh-machine':
      return measureFreshMachine()
  }
}

function backlogOf({ backlog }: JobsSettings, own: boolean): number {
  return own ? backlog.own : backlog.peers
}

function moduleOf({ label, module }: JobSystem): string {
  if (module === undefined) throw new Error(`the import of ${label} is not measured`)
  return module
}
