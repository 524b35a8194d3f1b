import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../child-process.ts'
import type { Field } from '../field.ts'
import { between, type Context, type Scenario, uuid } from '../scenario.ts'
import { withField } from '../with-field.ts'

const hourMs = 3_600_000
const minuteMs = 60_000
/** The longest that a job may take whose time has come, whatever the clock did. */
const canaryMs = 5_000

/** Where the clock jumps to: so far from the true time, or to a date. */
const jumps: readonly (readonly [string, (now: number) => number])[] = [
  ['two hours on', () => 2 * hourMs],
  ['two hours back', () => -2 * hourMs],
  ['five minutes on', () => 5 * minuteMs],
  ['five minutes back', () => -5 * minuteMs],
  ['to the end of winter time', now => Date.parse('2027-03-28T00:59:59.800Z') - now],
  ['to the end of summer time', now => Date.parse('2027-10-31T00:59:59.800Z') - now],
  ['to the eve of a leap day', now => Date.parse('2028-02-28T23:59:59.800Z') - now],
  ['to the true time', () => 0],
]

/** How the wall clocks of processes are set wrong. */
interface WrongClock {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly hasClockOfItsOwn: boolean
  set(offsetMs: number, children: readonly Child[]): Promise<void>
}

/** F34: the wall clock jumps, also across a change of the hour and a leap day; and it drifts. */
export const wallClock: Scenario = {
  id: 'F34',
  fault: 'the wall clock jumps two hours, five minutes, over a change of the hour, over a leap day; it drifts',
  rounds: 50,
  leastRounds: jumps.length,
  async run(context) {
    const { rounds, signal, folder, passed } = context
    const clock = libfaketime(folder) ?? clockOfTheRuntime
    const tally = await withField(context, { isKept: false }, async field => {
      const { env, hasClockOfItsOwn } = clock
      const runner = (): Child => field.runner({}, { hasClockOfItsOwn }, { env })
      const children = [runner(), runner(), field.spawn({ hasClockOfItsOwn }, { env })]
      await Promise.all(children.map(({ ready }) => ready))
      for (let round = 0; round < rounds && !signal.aborted; round++) {
        await jump(field, context, clock, children, round)
        passed()
      }
      await clock.set(0, children)
      await Promise.all(children.map(child => child.kill()))
      for (const { pid } of children) forget(pid)
      const lost = field.lines.filter(({ event }) => event === 'leaseLost' || event.startsWith('rescued:'))
      if (lost.length > 0) field.books.violated('JOB-8', `${lost.length} leases of living runners were lost over a wrong clock`)
    })
    return { tally, seen: `no lease was lost, no job was started early or forgotten (clock by ${clock.name})` }
  },
}

async function jump(field: Field, context: Context, clock: WrongClock, children: readonly Child[], round: number): Promise<void> {
  const { random } = context
  const [name, offset] = jumps[round % jumps.length] ?? ['to the true time', () => 0]
  const client = children.at(-1)
  if (client === undefined) return
  const [long, early, due, later] = [uuid(random), uuid(random), uuid(random), uuid(random)]
  // One that runs while the clock jumps
  await client.ask('enqueue', [{ id: long, kind: 'work', args: { ms: 200 } }])
  await sleep(between(random, 0, 100))
  await clock.set(offset(Date.now()), children)
  // And drifts, by a hundredth
  for (let step = 1; step <= 5; step++) {
    await sleep(10)
    await clock.set(offset(Date.now()) + step * 10, children)
  }
  await client.ask('enqueue', [
    { id: early, kind: 'work', args: { ms: 0 } },
    { id: due, kind: 'onTime', args: {}, options: { delayMs: 150 } },
    { id: later, kind: 'work', args: { ms: 0 }, options: { delayMs: hourMs } },
  ])
  for (const id of [long, early, due])
    if ((await field.line(({ job, event }) => job === id && event === 'settled:completed', canaryMs)) === undefined)
      field.books.violated('JOB-8', `the clock jumped ${name}, and a job whose time had come did not run`)
  const tooEarly = field.lines.find(({ job, event }) => job === due && event === 'early')
  if (tooEarly !== undefined) field.books.violated('JOB-3', `the clock jumped ${name}, and a job began before its time`)
  // Two hours on, one hour has passed
  await clock.set(offset(Date.now()) + 2 * hourMs, children)
  if ((await field.line(({ job, event }) => job === later && event === 'settled:completed', canaryMs)) === undefined)
    field.books.violated('JOB-3', `the clock jumped ${name} and then two hours on, and a job of the next hour did not run`)
}

/** The clock of whole processes, their threads and SQLite included, where libfaketime is installed. */
function libfaketime(folder: string): WrongClock | undefined {
  const library = ['/usr/lib', '/usr/lib64', '/usr/local/lib']
    .flatMap(place => [place, ...below(place)])
    .map(place => join(place, 'faketime/libfaketimeMT.so.1'))
    .find(existsSync)
  if (library === undefined) return undefined
  const file = join(folder, 'time')
  const write = (offsetMs: number): void => writeFileSync(file, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1_000}`)
  write(0)
  return {
    name: 'libfaketime',
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      TZ: 'Europe/Berlin',
    },
    hasClockOfItsOwn: false,
    async set(offsetMs) {
      write(offsetMs)
    },
  }
}

/** What libfaketime leaves in shared memory of a process that was killed. */
function forget(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(join('/dev/shm', name), { force: true })
}

function below(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)) : []
}

/** The clock that the runtime gives to the engine and the store. */
const clockOfTheRuntime: WrongClock = {
  name: 'the clock of the runtime, as libfaketime is not installed',
  env: {},
  hasClockOfItsOwn: true,
  async set(offsetMs, children) {
    await Promise.all(children.map(child => child.ask('setWallClock', offsetMs)))
  },
}
