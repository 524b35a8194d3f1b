/** From source, without a build: the program of the threads and the module of the handler are TypeScript, which the threads have to read. */
import { expect, it } from 'vitest'
import { kind, memoryStore, startRunner } from '../../src/index.ts'
import { inThread, threadPool } from '../../src/threads/index.ts'
import type double from './functions.ts'

it('runs functions of a TypeScript module', { timeout: 60_000 }, async () => {
  const pool = threadPool({ threads: 1 })
  const Double = kind('double', inThread<typeof double>(new URL('./functions.ts', import.meta.url), { pool }))
  const runner = startRunner({ store: memoryStore(), kinds: [Double], queues: { default: 1 }, signals: false })
  const job = await runner.enqueue(Double, 21)
  expect(await job.result()).toBe(42)
  await runner.stop()
  await pool.close()
})
