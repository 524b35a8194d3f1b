/** What all files together have, from the results of the jobs; and the same by a plain loop, to check it. */
import { summarize } from '../word-count/counts.ts'
import type { Counts } from '../word-count/counts.ts'
import { textsOfFiles } from '../word-count/read.ts'
import { countWords, ownCopy } from '../word-count/text.ts'
import type { WordCount } from '../word-count/text.ts'
import type { FileCount } from './count-file.ts'

/** Adds up what was counted in files. */
export class Totals {
  readonly paths: string[] = []
  readonly #table = new Map<string, number>()

  add(path: string, { table }: FileCount): void {
    this.paths.push(path)
    addTo(this.#table, table)
  }

  counts(top: number): Counts {
    return summarize(this.#table, top)
  }
}

/** Counts the same files one after the other, without jobs. */
export async function countDirectly(paths: readonly string[], top: number): Promise<Counts> {
  const table = new Map<string, number>()
  const reading = { files: 0, skipped: 0, signal: new AbortController().signal }
  for await (const text of textsOfFiles(paths, reading)) addTo(table, countWords([text]))
  return summarize(table, top)
}

/** Whether two counts say the same. */
export function areSame(a: Counts, b: Counts): boolean {
  return JSON.stringify([a.words, a.distinct, a.top]) === JSON.stringify([b.words, b.distinct, b.top])
}

function addTo(total: Map<string, number>, table: Iterable<WordCount>): void {
  for (const [word, count] of table) {
    const known = total.get(word)
    if (known === undefined) total.set(ownCopy(word), count)
    else total.set(word, known + count)
  }
}
