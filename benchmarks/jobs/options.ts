import { parseArgs } from 'node:util'
import { fullSettings, quickSettings, type JobsSettings } from './settings.ts'
import { isSystemId, type SystemId, systemIds } from './systems/index.ts'
import { type WorkloadId, workloadIds } from './workloads.ts'

/** What the command line asks for. */
export interface JobsOptions {
  readonly settings: JobsSettings
  /** Processes of each cell, but for those with a backlog. */
  readonly processes: number
  readonly workloads: readonly WorkloadId[]
  readonly systems: readonly SystemId[]
  readonly json: string | undefined
  readonly write: boolean
}

export const usage = `npm run bench -- jobs [--quick] [--only process-100,backlog] [--peers genstage,bullmq] [--backlog N] [--json FILE] [--write]

  --quick    short runs, one process per cell, no backlog: a rough look
  --only     these workloads: ${workloadIds.join(', ')}
  --peers    these systems: ${systemIds.join(', ')}
  --backlog  so many jobs wait behind the others, for everybody; default ${fullSettings.backlog.own} for ours, ${fullSettings.backlog.peers} for peers
  --json     all figures, run by run, into a file
  --write    the tables into docs/performance.md

  Peers need servers: those of GENSTAGE_POSTGRES_URL and GENSTAGE_REDIS_URL, else started from the programs of this machine.`

export function parseJobsOptions(args: readonly string[]): JobsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      backlog: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  })
  const settings = values.quick ? quickSettings : fullSettings
  return {
    settings: values.backlog === undefined ? settings : withBacklog(settings, values.backlog),
    processes: values.quick ? 1 : 3,
    workloads:
      values.only === undefined ? workloadIds.filter(id => !values.quick || id !== 'backlog') : chosenWorkloads(values.only),
    systems: values.peers === undefined ? systemIds : chosenSystems(values.peers),
    json: values.json,
    write: values.write,
  }
}

function withBacklog(settings: JobsSettings, given: string): JobsSettings {
  const { backlog } = settings
  const least = backlog.processed * (backlog.runs + 1)
  const count = Number(given)
  if (!Number.isSafeInteger(count) || count < least) {
    throw new Error(`--backlog ${given}: a whole number of at least ${least}, which are taken out of it\n\n${usage}`)
  }
  return { ...settings, backlog: { ...backlog, own: count, peers: count } }
}

function chosenWorkloads(list: string): readonly WorkloadId[] {
  const wanted = namesIn(list)
  const unknown = wanted.find(name => !workloadIds.some(id => id === name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such workload\n\n${usage}`)
  return workloadIds.filter(id => wanted.includes(id))
}

function chosenSystems(list: string): readonly SystemId[] {
  const wanted = namesIn(list)
  const unknown = wanted.find(name => !isSystemId(name))
  if (unknown !== undefined) throw new Error(`--peers ${unknown}: no such peer\n\n${usage}`)
  return systemIds.filter(id => wanted.includes(id))
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}
