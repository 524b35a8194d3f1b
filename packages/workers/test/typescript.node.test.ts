/** From source, without a build: the program of the thread and the module of the stage are TypeScript, which the thread has to read. */
import { createRuntime, fromIterable, start } from '@genstage/core'
import { expect, it } from 'vitest'
import { onThread } from '../src/index.ts'
import type Stage from './support/stages.ts'

const typescript = new URL('./support/typescript.mjs', import.meta.url).href
const worker = { execArgv: ['--import', typescript, '--conditions=@genstage/source'] }

it('runs stages of a TypeScript module on a TypeScript thread', { timeout: 60_000 }, async () => {
  const Double = onThread<typeof Stage>(new URL('./support/stages.ts', import.meta.url), {
    worker,
  })
  const runtime = createRuntime()
  const numbers = start(fromIterable([1, 2, 3]), { runtime })
  const double = start(Double, { runtime, subscribeTo: [numbers] })
  const out: number[] = []
  for await (const number of double.stream({ cancel: 'transient' })) out.push(number)
  expect(out).toEqual([2, 4, 6])
})
