import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** Runs a program in a process of its own; the pipe in it does nothing most of the time but wait for timers. */
function run(program: string) {
  const source = `import { collect, interval, pipe, take } from '@genstage/stages'\nconst ticks = pipe(interval(5), take(2), collect())\n${program}`
  const flags = ['--import', import.meta.resolve('tsx'), '--conditions=@genstage/source', '--input-type=module', '--eval', source]
  const { status, stdout } = spawnSync(process.execPath, flags, { encoding: 'utf8', cwd: new URL('.', import.meta.url) })
  return [status, stdout.trim()]
}

describe('a process that waits for a pipe', () => {
  it.each([
    // How many, not which: on a machine that is busy a tick can come too late, and is left out
    ['result', 'console.log((await ticks.result).length)', '2'],
    ['done', "await ticks.done\nconsole.log('done')", 'done'],
    ['exited', 'console.log((await ticks.exited).type)', 'normal'],
  ])('lives until it has ended, by reading %s, and no longer', (_, program, printed) => {
    expect(run(program)).toEqual([0, printed])
  })

  it('does not live for a pipe that nobody waits for', () => {
    expect(run("process.on('exit', () => console.log(ticks.stages.length))")).toEqual([0, '3'])
  })
})
