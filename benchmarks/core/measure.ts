import { measureRate, type RateFigures, type RateTask } from '../harness/measure-rate.ts'
import type { Cell } from '../harness/cell-request.ts'
import { measureBacklog, type BacklogFigures } from './measure-backlog.ts'
import { measureIdlePairs, type IdleFigures } from './measure-idle-pairs.ts'
import { measureLateness, type LatenessFigures } from './measure-lateness.ts'
import type { Peer } from './peer.ts'
import { isPeerId, loadPeer } from './peers/index.ts'
import type { Settings } from './settings.ts'
import { countStep, isRate, isWorkloadId, mostEvents, workloads, type RateId } from './workloads.ts'

export type Figures = RateFigures | BacklogFigures | LatenessFigures | IdleFigures

export interface MeasureRequest extends Cell {
  readonly settings: Settings
}

/** Measures one cell in this process. */
export async function measure({ peer: peerId, workload: id, settings }: MeasureRequest): Promise<Figures> {
  if (!isPeerId(peerId)) throw new Error(`no peer "${peerId}"`)
  if (!isWorkloadId(id)) throw new Error(`no workload "${id}"`)
  const peer = await loadPeer(peerId)
  if (isRate(id)) return measureRate(taskOf(peer, id), settings)
  const workload = workloads[id]
  switch (workload.kind) {
    case 'backlog':
      return measureBacklog(given(peer.backlog, peer), settings.backlogMs)
    case 'lateness':
      return measureLateness(taskOf(peer, 'WL-2'), settings.latenessMs)
    case 'idle':
      return measureIdlePairs(given(peer.idlePairs, peer), workload.pairs)
  }
}

/** The workload as this peer runs it. */
export function taskOf(peer: Peer, id: RateId): RateTask {
  const workload = workloads[id]
  const most = Math.min(mostEvents(workload), peer.mostEvents?.[id] ?? Infinity)
  return { run: given(peer.rates[id], peer), expected: workload.expected, step: countStep, most }
}

function given<Part>(part: Part | undefined, peer: Peer): Part {
  if (part === undefined) throw new Error(`${peer.label} does not do this workload`)
  return part
}
