/** Programs with a stage on a thread, to see how their process ends. Run as `node program.js NAME`. */
import { fromIterable, start } from '@genstage/core'
import { onThread } from '../../src/index.ts'
import type * as definitions from './stages.ts'

const stages = new URL('./stages.js', import.meta.url)
const Slow = onThread<typeof definitions.Slow>(stages, { export: 'Slow', type: 'consumer' })

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  /** Has a thread, and nothing for it to do: ends by itself. */
  idle: () => start(Slow, { arg: 0 }).ready,
  /** The thread works, and is all there is to wait for: ends when it is done. */
  busy: () => start(Slow, { arg: 20, subscribeTo: [{ to: start(fromIterable([1, 2, 3])), maxDemand: 1 }] }).done,
  /** Nobody watches the stage, which fails. */
  crash: () => start(Slow, { arg: -1, subscribeTo: [start(fromIterable([1]))] }).ready,
}

await programs[process.argv[2] ?? '']?.()
console.log('end of the program')
