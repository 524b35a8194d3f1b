/** Looks at the store every now and then, and shows what it sees. */
import { setTimeout as wait } from 'node:timers/promises'
import type { JobClient } from '@genstage/jobs'
import { boardLines, Drawing, plainLine } from './board.ts'
import type { Moment, Screen } from './board.ts'
import type { Figures } from './figures.ts'
import { CountFile } from './kinds.ts'
import type { TextFile } from './kinds.ts'
import { doneIn, sumOf } from './state.ts'

const lookEveryMs = 100
const lineEveryMs = 2_000
/** The rate is that of the last seconds. */
const rateOverMs = 3_000

export interface WatchOptions {
  readonly client: JobClient
  readonly figures: Figures
  /** Undefined: shows nothing. */
  readonly screen: Screen | undefined
  /** Aborted when the runner is to stop. */
  readonly stopping: AbortSignal
}

/** Shows the work, as a board on a terminal and as lines elsewhere, until the returned function is called. */
export function showWork({ client, figures, screen, stopping }: WatchOptions): () => void {
  if (screen === undefined) return () => {}
  const started = performance.now()
  const drawing = new Drawing(screen)
  const names = new Names(client)
  const seen: { readonly at: number; readonly done: number }[] = []
  let isOver = false

  const look = async (): Promise<Moment> => {
    const stats = await client.stats()
    const at = performance.now()
    seen.push({ at, done: doneIn(sumOf(stats)) })
    while (seen.length > 2 && at - (seen[0]?.at ?? at) > rateOverMs) seen.shift()
    const mishaps = await Promise.all(figures.mishaps.map(async mishap => ({ ...mishap, name: await names.of(mishap.id) })))
    return { stats, ms: at - started, rate: rateOf(seen), mishaps, rescued: figures.rescued, isStopping: stopping.aborted }
  }
  const show = (moment: Moment): void => {
    // A column is left free: some terminals begin a new line behind the last one
    if (screen.isTTY) drawing.draw(boardLines(moment, (screen.columns || 80) - 1, (screen.rows || 24) - 1))
    else screen.write(`${plainLine(moment)}\n`)
  }
  const loop = async (): Promise<void> => {
    while (!isOver) {
      // A store that does not answer now may answer at the next look
      const moment = await look().catch(() => undefined)
      if (!isOver && moment !== undefined) show(moment)
      await pause(screen.isTTY ? lookEveryMs : lineEveryMs, stopping)
    }
  }
  void loop()
  return () => {
    isOver = true
    if (screen.isTTY) drawing.clear()
  }
}

/** A stop is told at once. */
async function pause(ms: number, stopping: AbortSignal): Promise<void> {
  const toldAlready = stopping.aborted
  await wait(ms, undefined, { ref: false, ...(toldAlready ? {} : { signal: stopping }) }).catch(() => {})
}

function rateOf(seen: readonly { readonly at: number; readonly done: number }[]): number {
  const [first, last] = [seen[0], seen.at(-1)]
  if (first === undefined || last === undefined || last.at <= first.at) return 0
  return ((last.done - first.done) / (last.at - first.at)) * 1_000
}

/** What jobs are called for people. Each is looked up once. */
class Names {
  readonly #client: JobClient
  readonly #known = new Map<string, string>()

  constructor(client: JobClient) {
    this.#client = client
  }

  async of(id: string): Promise<string> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const job = await this.#client.find(id)
    // What a job of this kind was enqueued with
    const name = job === undefined ? id : job.kind === CountFile.name ? (job.args as TextFile).path : job.kind
    this.#known.set(id, name)
    return name
  }
}
