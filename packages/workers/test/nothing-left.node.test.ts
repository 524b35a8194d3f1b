/** What is left behind: no thread, no handle, no listener, and no process that cannot end or ends too early. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fromIterable, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { builtPrograms } from './support/built.ts'
import { allOf, liveThreads, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk)
  return text
}

async function run(program: string): Promise<{ readonly code: unknown; readonly output: string; readonly errors: string }> {
  const child = spawn(process.execPath, [builtPrograms, program], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
  const code = new Promise(resolve => child.once('close', resolve))
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  return { code: await code, output, errors }
}

describe('a process', { timeout: 30_000 }, () => {
  it('INV-21 ends by itself when its threads have nothing to do', async () => {
    expect(await run('idle')).toEqual({ code: 0, output: 'end of the program\n', errors: '' })
  })

  it('INV-21 lives as long as a thread has something to do', async () => {
    const output = 'handled 1\nhandled 2\nhandled 3\nend of the program\n'
    expect(await run('busy')).toEqual({ code: 0, output, errors: '' })
  })

  it('INV-17 ends with the failure of a stage that nobody watches', async () => {
    const { code, errors } = await run('crash')
    expect(code).toBe(1)
    expect(errors).toContain('STAGE_FAILED')
    expect(errors).toContain('less than no time')
  })
})

describe('30 lives of a stage on a thread', () => {
  it('INV-21 leave no thread, no handle and no listener', { timeout: 60_000 }, async () => {
    const { runtime, uncaught } = recordedRuntime()
    const { signal } = new AbortController()
    const resources = (): readonly string[] => process.getActiveResourcesInfo().filter(each => /Worker|MessagePort/.test(each))
    const listeners = (): unknown => process.eventNames().map(name => [name, process.listenerCount(name)])
    const life = async (round: number): Promise<void> => {
      const source = start(fromIterable([1, 2, 3]), { runtime })
      const stage = start(threaded('EchoLater'), {
        runtime,
        signal,
        subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 2 }],
      })
      if (round % 3 === 0) expect(await allOf(takeThree(stage.stream()))).toEqual([1, 2, 3])
      await (round % 2 === 0 ? stage.stop() : stage.kill())
      await source.stop()
      await threadsGone()
    }
    // The ports of a thread that has ended close a turn or two later
    const quiet = async (): Promise<void> => await expect.poll(resources).toEqual([])
    await life(0)
    await quiet()
    const before = listeners()
    for (let round = 0; round < 30; round++) await life(round)
    await quiet()
    expect(listeners()).toEqual(before)
    expect([liveThreads.size, runtime.topology().stages.length, uncaught]).toEqual([0, 0, []])
  })
})

async function* takeThree<T>(events: AsyncIterable<T>): AsyncIterable<T> {
  let taken = 0
  for await (const event of events) {
    yield event
    if (++taken === 3) return
  }
}
