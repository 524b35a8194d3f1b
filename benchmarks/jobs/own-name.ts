import { randomBytes } from 'node:crypto'

/** A name that no other run uses, for a queue or a schema: also a letter and digits only, as schemas want. */
export function ownName(system: string): string {
  return `genstage_bench_${system}_${randomBytes(6).toString('hex')}`
}
