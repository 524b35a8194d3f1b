/** Programs with handlers on threads, to see how their process ends. Run as `node child.js NAME`, or `child.cjs`. */
import { kind, memoryStore, startRunner } from '../../src/index.ts'
import { inThread, threadPool } from '../../src/threads/index.ts'
import type double from './functions.ts'

async function run(program: string | undefined): Promise<void> {
  const functions = new URL(import.meta.url.endsWith('.cjs') ? './functions.cjs' : './functions.js', import.meta.url)
  // "shared": the pool that needs no closing; "open": one of its own, which nobody closes
  const pool = program === 'shared' ? undefined : threadPool({ threads: 2 })
  const Double = kind('double', inThread<typeof double>(functions, pool === undefined ? {} : { pool }))
  const runner = startRunner({ store: memoryStore(), kinds: [Double], queues: { default: 4 }, logger: console })

  const jobs = await runner.enqueueMany(Double, [1, 2, 3])
  console.log(await Promise.all(jobs.map(job => job.result())))
  await runner.stop()
  if (program === 'closed') await pool?.close()
  console.log('end of the program')
}

void run(process.argv[2])
