import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { percentile } from '../harness/statistics.ts'
import { temporaryFolder } from './servers/server-process.ts'

const block = Buffer.alloc(4_096, 1)
const samples = 300

/**
 * What a commit costs on this disk, now: 4 KiB written and synced, in microseconds. It is what most figures here hang on, and on a
 * machine that others use too it changes from minute to minute.
 */
export function probeDisk(): { readonly p50Us: number; readonly p90Us: number } {
  const folder = temporaryFolder('disk')
  const file = openSync(join(folder.path, 'probe'), 'w')
  try {
    const microseconds = Array.from({ length: samples }, () => {
      const begun = performance.now()
      writeSync(file, block)
      fdatasyncSync(file)
      return (performance.now() - begun) * 1_000
    })
    return { p50Us: percentile(microseconds, 0.5), p90Us: percentile(microseconds, 0.9) }
  } finally {
    closeSync(file)
    folder.remove()
  }
}
