import type { BadListeners } from '../child/opening.ts'
import { type Scenario, uuid } from '../scenario.ts'
import { addTally, emptyTally } from '../tally.ts'
import { workload } from '../under-load.ts'
import { withField } from '../with-field.ts'

const ways: readonly BadListeners[] = ['throw', 'reject', 'never settle', 'are slow']
const jobsEach = 60

/** F43: whoever listens cannot harm the jobs. */
export const listeners: Scenario = {
  id: 'F43',
  fault: 'listeners and a logger that throw, reject, never settle, are slow',
  rounds: ways.length,
  leastRounds: ways.length,
  async run(context) {
    const tally = emptyTally()
    for (const badListeners of ways) {
      const one = await withField(context, { isKept: false }, async field => {
        const child = field.runner({}, { badListeners })
        await child.ready
        await field.enqueue(workload(context.random, jobsEach))
        await child.ask('enqueue', [{ id: uuid(context.random), kind: 'work', args: { ms: 0 } }])
        await field.idle()
        if (child.isOver) field.books.violated('JOB-18', `listeners that ${badListeners} ended the process: ${child.errors}`)
        child.signal('SIGTERM')
        const { code } = await child.exited
        if (code !== 0) field.books.violated('JOB-18', `with listeners that ${badListeners} the stop ended with ${code}`)
      })
      addTally(tally, one)
      context.passed()
    }
    return { tally, seen: 'every job ended as it would have; the process stopped with 0', rounds: ways.length }
  },
}
