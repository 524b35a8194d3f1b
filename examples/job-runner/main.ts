/**
 * Counts the words of text files with durable jobs, one for each file, on a disk that makes trouble. What will be seen: the queues
 * and how far they are (in a terminal), then the most frequent words, how the jobs ended, and which were given up and why. Stop it or kill
 * it in the middle, start it again, and it goes on. See README.md; the jobs are in kinds.ts, the runner is in application.ts.
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@genstage/core'
import { JobsError, openClient, sqliteStore } from '@genstage/jobs'
import type { JobClient, Job } from '@genstage/jobs'
import { runProgram, UsageError } from '../shared/command-line.ts'
import { enqueueFolder, finished, folderOf, givenUp, retryFailed, startApplication, totalsOf } from './application.ts'
import { watch } from './figures.ts'
import { CountFile } from './kinds.ts'
import type { Folder, TextFile } from './kinds.ts'
import { defaultStore, parseOptions, usage } from './options.ts'
import type { Options } from './options.ts'
import { asJson, asText } from './report.ts'
import type { GivenUp, Results } from './report.ts'
import { areSame, countDirectly } from './totals.ts'
import { showWork } from './watching.ts'

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url))
const givenUpShown = 5

/** Failures are what this is about, and runners that died too: only what is not expected is written, to the standard error. */
const expected = new Set(['JOB_FAILED', 'RUNNER_CRASHED'])
const logger: Logger = {
  debug() {},
  info() {},
  warn: (text, fields) => expected.has(String(fields?.['code'])) || console.warn(text),
  error: (text, fields) => expected.has(String(fields?.['code'])) || console.error(text),
}

await runProgram('job-runner', async () => {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) return void process.stdout.write(usage)
  const results = await run(options, await wantedFolder(options.folder))
  process.stdout.write(options.json ? `${asJson(results)}\n` : asText(results, process.stdout.columns || 80))
  if (results.interrupted) process.exitCode = 130
})

async function run(options: Options, folder: Folder): Promise<Results> {
  const started = performance.now()
  await makeHome(options.store)
  if (options.fresh) await forget(options.store)
  const store = sqliteStore(options.store)
  // Besides the runner: it still answers when that has stopped.
  await using client = openClient({ store, logger })
  await opened(client, folder.folder, options.store)
  if (options.retry) await retryFailed(client)

  await using runner = startApplication({ ...options, store, logger })
  const figures = watch(runner)
  await enqueueFolder(client, folder)

  const stopping = new AbortController()
  // The runner stops by itself; here it is only seen.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const hideWork = showWork({
    client,
    figures,
    screen: options.json ? undefined : process.stderr,
    stopping: stopping.signal,
  })
  const over = new AbortController()
  try {
    await Promise.race([finished(client, over.signal), runner.done])
    await runner.stop()
    await runner.done
  } finally {
    over.abort()
    hideWork()
  }

  const { attempts, rescued } = figures
  return { ...(await resultsOf(client, options.top)), attempts, rescued, ms: performance.now() - started }
}

async function resultsOf(client: JobClient, top: number): Promise<Omit<Results, 'attempts' | 'rescued' | 'ms'>> {
  const [stats, totals, jobs] = await Promise.all([client.stats(), totalsOf(client), givenUp(client, givenUpShown)])
  const counts = totals.counts(top)
  const interrupted = Object.values(stats.queues).some(({ waiting, delayed, running }) => waiting + delayed + running > 0)
  const check = interrupted ? undefined : areSame(counts, await countDirectly(totals.paths, top)) ? 'same' : 'different'
  return { stats, files: totals.paths.length, counts, check, givenUp: jobs.map(toGivenUp), interrupted }
}

function toGivenUp({ id, kind, args, state, error, history }: Job): GivenUp {
  // What a job of this kind was enqueued with
  return { id, name: kind === CountFile.name ? (args as TextFile).path : kind, state, error, history }
}

async function wantedFolder(path: string | undefined): Promise<Folder> {
  if (path === undefined) return { folder: packages, documentationOnly: true }
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === 'ENOENT' ? `there is no "${path}"` : `cannot read "${path}": ${error.message}`)
  })
  if (!stats.isDirectory()) throw new UsageError(`"${path}" is no folder`)
  return { folder: resolve(path), documentationOnly: false }
}

/** Makes the folder of the store. The default one is kept out of git. */
async function makeHome(store: string): Promise<void> {
  const home = dirname(resolve(store))
  try {
    await mkdir(home, { recursive: true })
    if (store === defaultStore) await writeFile(`${home}/.gitignore`, '*\n')
  } catch (error) {
    throw new UsageError(`cannot make the folder of --store: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Opens the store, and sees that it is about this folder. What is wrong with the file is the command line's fault. */
async function opened(client: JobClient, folder: string, store: string): Promise<void> {
  try {
    await client.ready
  } catch (error) {
    throw error instanceof JobsError ? new UsageError(error.message) : error
  }
  const before = (await folderOf(client)) ?? folder
  if (before !== folder) throw new UsageError(`${store} is about "${before}"; use --fresh to forget that, or another --store`)
}

/** Deletes the store, unless somebody works with it. */
async function forget(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return
  const client = openClient({ store: sqliteStore(path), logger })
  const runners = await client.runners().catch(() => [])
  await client.close()
  const busy = runners.find(({ pid }) => lives(pid))
  if (busy !== undefined) throw new UsageError(`process ${busy.pid} works with ${path}; stop it before --fresh`)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await rm(file, { force: true })
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
