/** Counts the words of one file, with the functions of the word count. */
import { textsOfFiles } from '../word-count/read.ts'
import type { Reading } from '../word-count/read.ts'
import { countWords } from '../word-count/text.ts'
import type { WordCount } from '../word-count/text.ts'

/** What was counted in one file. */
export interface FileCount {
  readonly words: number
  /** Each word once. */
  readonly table: readonly WordCount[]
}

/** Counts a file. Undefined if it is no text, or cannot be read. Rejects with the signal's reason. */
export async function countFile(path: string, signal: AbortSignal): Promise<FileCount | undefined> {
  const reading: Reading = { files: 0, skipped: 0, signal }
  const table = new Map<string, number>()
  let words = 0
  for await (const text of textsOfFiles([path], reading)) {
    for (const [word, count] of countWords([text])) {
      table.set(word, (table.get(word) ?? 0) + count)
      words += count
    }
  }
  signal.throwIfAborted()
  return reading.skipped > 0 ? undefined : { words, table: [...table] }
}
