/**
 * The kinds of jobs, and what does them. Here the domain meets the job runner: plan.ts, disk.ts and count-file.ts know nothing of
 * jobs. Whoever only enqueues needs the kinds; the runner gets them with their handlers.
 */
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { byError, discard, exponential, fixed, JobsError, kind } from '@genstage/jobs'
import type { JobClient, JobContext, Kind } from '@genstage/jobs'
import type { Reading } from '../word-count/read.ts'
import { filesBelow, isDocumentation } from '../word-count/walk.ts'
import { countFile } from './count-file.ts'
import type { FileCount } from './count-file.ts'
import { reach } from './disk.ts'
import { idOf, planOf, troubleOf } from './plan.ts'
import type { Trouble } from './plan.ts'

export interface Folder {
  /** An absolute path. */
  readonly folder: string
  /** Leave out what is no documentation, by its name. */
  readonly documentationOnly: boolean
}

export interface TextFile {
  readonly folder: string
  /** Relative to the folder. */
  readonly path: string
}

/** Finds the files of a folder, and enqueues a job for each. */
export const ScanFolder = kind<Folder, { readonly files: number }>('folder.scan', { queue: 'scan' })

/** Counts the words of one file. */
export const CountFile = kind<TextFile, FileCount>('file.count', {
  maxAttempts: 3,
  timeoutMs: 4_000,
  backoff: byError([['EIO', exponential({ firstMs: 500, maxMs: 5_000 })]], fixed(1_000)),
})

/** Files that are enqueued together: one write of the store. */
const atOnce = 200

/** The kinds with their handlers. A calm world is one whose disk makes no trouble. */
export function handledKinds({ calm }: { readonly calm: boolean }): readonly Kind[] {
  const trouble = (path: string): Trouble => (calm ? 'none' : troubleOf(path))
  return [
    ScanFolder.handledBy(async ({ folder, documentationOnly }, job) => {
      const reading: Reading = { files: 0, skipped: 0, signal: job.signal }
      let found: string[] = []
      let files = 0
      const enqueueFound = async (): Promise<void> => {
        await Promise.all(found.map(path => enqueueFile(job.client, folder, path, trouble(path))))
        job.progress({ files: (files += found.length) })
        found = []
      }
      for await (const path of filesBelow(folder, reading, name => !documentationOnly || isDocumentation(name))) {
        found.push(relative(folder, path))
        if (found.length === atOnce) await enqueueFound()
      }
      job.signal.throwIfAborted()
      await enqueueFound()
      return { files }
    }),

    CountFile.handledBy(async ({ folder, path }, job) => {
      const { attempt, signal } = job
      const waited = (waitedMs: number): void => job.progress({ waitedMs })
      await reach(trouble(path), { path, attempt, signal, waitedMs: waitedBefore(job), waited })
      const count = await countFile(`${folder}/${path}`, signal)
      // The next attempt would find the same
      return count ?? discard('no text, or not to be read')
    }),
  ]
}

/** Enqueues a file, with an id that is made of its path: a scan that was cut off and runs again enqueues nothing twice. */
async function enqueueFile(client: JobClient, folder: string, path: string, trouble: Trouble): Promise<void> {
  const { size } = await stat(`${folder}/${path}`).catch(() => ({ size: 0 }))
  try {
    await client.enqueue(CountFile, { folder, path }, { id: idOf(folder, path), ...planOf(path, size, trouble) })
  } catch (error) {
    // It is there already, in another queue: the file has grown since
    if (!(error instanceof JobsError && error.code === 'ID_CONFLICT')) throw error
  }
}

/** How long an earlier attempt at a slow file has waited: it was cut off by a stop, and this one goes on from there. */
function waitedBefore({ lastProgress }: JobContext): number {
  const isKnown = typeof lastProgress === 'object' && lastProgress !== null && 'waitedMs' in lastProgress
  return isKnown && typeof lastProgress.waitedMs === 'number' ? lastProgress.waitedMs : 0
}
