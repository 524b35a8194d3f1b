import { availableParallelism } from 'node:os'

/** What a figure was made on, in general words: enough to know whether two tables may be compared. */
export interface Machine {
  readonly node: string
  readonly v8: string
  readonly architecture: string
  readonly cores: number
}

export function describeMachine(): Machine {
  return {
    node: process.version,
    v8: process.versions.v8,
    architecture: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
  }
}

/** `Node v20.20.2, linux x64, 2 cores`. */
export function machineLine({ node, architecture, cores }: Machine): string {
  return `Node ${node}, ${architecture}, ${cores} ${cores === 1 ? 'core' : 'cores'}`
}
