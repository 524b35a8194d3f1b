/** All that is outside of the stages: two servers with numbers, a table, a file and an API, and what they have seen. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../shared/random.ts'
import { NumberFeed } from './number-feed.ts'
import { startNumberServer } from './number-server.ts'
import { NumberTable } from './number-table.ts'
import { fetchNumber, rootOf } from './numbers.ts'
import type { Found } from './numbers.ts'
import { appendRoots, postRoots } from './outputs.ts'
import type { Outside } from './pipeline.ts'
import { startRootsApi } from './roots-api.ts'
import { counted } from './watch.ts'
import type { Polls } from './watch.ts'
import type { Worked } from './worker.ts'

export interface WorldOptions {
  readonly seed: number
  /** From then on the servers have no new numbers, and never fail, in milliseconds. */
  readonly untilMs: number
  /** How many old numbers are in the table. */
  readonly rows: number
  /** The probability that a server fails to answer, until then. */
  readonly failures: number
}

export interface World extends AsyncDisposable {
  readonly outside: Outside
  /** How often each source was asked, by its name. */
  readonly polls: Readonly<Record<'east' | 'west' | 'table', Polls>>
  /** Roots that have come to the screen, in their order. */
  readonly shown: readonly Worked[]
  readonly api: { readonly roots: ReadonlyMap<string, unknown>; readonly posts: number; readonly repeated: number }
  /** The lines of the file by now. */
  lines(): Promise<readonly string[]>
}

/** How long it takes to take a root: slow work. */
const processMs = 40

/** Starts it. `onRoot` is called with each root that comes to the screen. */
export async function startWorld(options: WorldOptions, onRoot: (root: Worked) => void): Promise<World> {
  const { seed, untilMs, rows, failures } = options
  const random = randomFrom(seed)
  const started = performance.now()
  const fails = () => performance.now() - started < untilMs && random() < failures
  const startFeed = (name: string, salt: number) =>
    startNumberServer(new NumberFeed({ name, seed: seed + salt, waiting: 4, meanMs: untilMs / 6, untilMs }), fails)
  const [east, west, api] = await Promise.all([startFeed('east', 1), startFeed('west', 2), startRootsApi(fails)])
  const table = new NumberTable(Array.from({ length: rows }, (_, n): Found => ({ id: `table-${n + 1}`, number: n })))
  const directory = await mkdtemp(join(tmpdir(), 'low-volume-polling-'))
  const file = join(directory, 'roots.txt')
  const shown: Worked[] = []

  const fetchEast = counted(() => fetchNumber(east.url), count)
  const fetchWest = counted(() => fetchNumber(west.url), count)
  const claimRows = counted(
    (limit: number) => table.claim(limit),
    found => found.length,
  )
  return {
    outside: {
      fetchEast: fetchEast.ask,
      fetchWest: fetchWest.ask,
      claimRows: claimRows.ask,
      process: number => sleep(processMs, rootOf(number)),
      append: roots => appendRoots(file, roots),
      post: (roots, { signal }) => postRoots(api.url, roots, signal),
      show(root) {
        shown.push(root)
        onRoot(root)
      },
    },
    polls: { east: fetchEast.polls, west: fetchWest.polls, table: claimRows.polls },
    shown,
    api,
    lines: async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1),
    async [Symbol.asyncDispose]() {
      await Promise.all([east, west, api].map(server => server[Symbol.asyncDispose]()))
      await rm(directory, { recursive: true })
    },
  }
}

function count(found: Found | undefined): number {
  return found ? 1 : 0
}
