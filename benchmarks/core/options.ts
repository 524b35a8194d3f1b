import { parseArgs } from 'node:util'
import { isPeerId, peerIds, type PeerId } from './peers/index.ts'
import { fullSettings, quickSettings, type Settings } from './settings.ts'
import { baseOf, workloadIds, type WorkloadId } from './workloads.ts'

/** What the command line asks for. */
export interface CoreOptions {
  readonly settings: Settings
  readonly workloads: readonly WorkloadId[]
  readonly peers: readonly PeerId[]
  readonly json: string | undefined
  readonly write: boolean
}

export const usage = `npm run bench -- core [--quick] [--only WL-1,WL-7] [--peers genstage,rxjs] [--json FILE] [--write]

  --quick   one process per cell and short runs: the right order of magnitude in a few minutes
  --only    these workloads, with their variants: ${[...new Set(workloadIds.map(baseOf))].join(', ')}
  --peers   these peers: ${peerIds.join(', ')}
  --json    all figures, run by run, into a file
  --write   the tables into docs/performance.md`

export function parseCoreOptions(args: readonly string[]): CoreOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  })
  return {
    settings: values.quick ? quickSettings : fullSettings,
    workloads: values.only === undefined ? workloadIds : chosenWorkloads(values.only),
    peers: values.peers === undefined ? peerIds : chosenPeers(values.peers),
    json: values.json,
    write: values.write,
  }
}

function chosenWorkloads(list: string): readonly WorkloadId[] {
  const wanted = namesIn(list)
  const unknown = wanted.find(name => !workloadIds.some(id => id === name || baseOf(id) === name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such workload\n\n${usage}`)
  return workloadIds.filter(id => wanted.includes(id) || wanted.includes(baseOf(id)))
}

function chosenPeers(list: string): readonly PeerId[] {
  const wanted = namesIn(list)
  const unknown = wanted.find(name => !isPeerId(name))
  if (unknown !== undefined) throw new Error(`--peers ${unknown}: no such peer\n\n${usage}`)
  return peerIds.filter(id => wanted.includes(id))
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}
