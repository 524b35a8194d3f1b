import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reading } from './read.ts'

const documentation = /^(readme|licen[cs]e|changelog)|\.(md|markdown|txt)$/i

/** Whether a file name is one that packages use for their documentation. */
export function isDocumentation(name: string): boolean {
  return documentation.test(name)
}

/**
 * The paths of the files below a folder, one at a time: never the whole tree. Symbolic links are not followed, so there are
 * no loops. A folder that cannot be read is skipped.
 */
export async function* filesBelow(folder: string, reading: Reading, wanted: (name: string) => boolean): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(() => undefined)
  if (!entries) {
    reading.skipped++
    return
  }
  for await (const entry of entries) {
    if (reading.signal.aborted) return
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path, reading, wanted)
    else if (entry.isFile() && wanted(entry.name)) yield path
  }
}
