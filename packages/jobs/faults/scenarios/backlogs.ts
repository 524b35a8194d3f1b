import { join } from 'node:path'
import type { BacklogSizes } from '../child/backlog.ts'
import { Field } from '../field.ts'
import type { Scenario } from '../scenario.ts'
import { emptyTally } from '../tally.ts'

const sizes: BacklogSizes = { jobs: 1_000_000, queues: 1_000, dueAtOnce: 100_000, claims: 1_000 }
const shortSizes: BacklogSizes = { jobs: 10_000, queues: 10, dueAtOnce: 3_000, claims: 200 }
const mostP99Ms = 20
const mostHeapMb = 256

/** F39: as much as there will ever be. */
export const backlogs: Scenario = {
  id: 'F39',
  fault: 'a backlog of 1,000,000 jobs; 1,000 queues; 100,000 delayed jobs due at one moment',
  rounds: 1,
  async run(context) {
    const tally = emptyTally()
    const { violations } = tally
    const field = new Field(context, { isKept: false })
    try {
      const child = field.spawn({}, { execArgv: [`--max-old-space-size=${mostHeapMb}`] })
      await child.ready
      const figures = await child.ask(
        'backlog',
        join(context.folder, 'backlog.db'),
        context.isShort === true ? shortSizes : sizes,
      )
      const { emptyP99Ms, fullP99Ms, dueP99Ms, mostServed, leastServed, heapMb } = figures
      // What others do on this machine slows an empty store as much; a short run is too short for a p99
      const limit = context.isShort === true ? Infinity : Math.max(mostP99Ms, 2 * emptyP99Ms)
      if (fullP99Ms > limit) violations.push(`F39: claims beside a backlog: p99 ${fullP99Ms.toFixed(1)} ms`)
      if (dueP99Ms > limit) violations.push(`F39: claims while jobs become due: p99 ${dueP99Ms.toFixed(1)} ms`)
      if (leastServed * 2 < mostServed) violations.push(`F39: one queue was served ${mostServed} times, another ${leastServed}`)
      context.passed()
      return {
        tally,
        rounds: 1,
        seen: `p99 of a claim ${emptyP99Ms.toFixed(1)} ms without, ${fullP99Ms.toFixed(1)} ms beside the backlog, ${dueP99Ms.toFixed(1)} ms while jobs become due; at half time queues had been served ${leastServed} to ${mostServed} times; heap ${Math.round(heapMb)} MB`,
      }
    } finally {
      await field.close()
    }
  },
}
