import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultRuntime, type Logger } from '@genstage/core'
import type { NewJob } from '../../src/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.ts'
import { Reader, type Reading } from '../reader.ts'
import { between, type Context, inLanes, type Scenario, uuid } from '../scenario.ts'
import { emptyTally, type Tally } from '../tally.ts'

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const storeContext = { clock: defaultRuntime.clock, logger: quiet }
const commits = 8
const lanes = 2
const frame = 24 + 4_096
/** Of these the cut comes at every byte; of what is before, here and there. */
const lastFrames = 2 * frame
const damagedPlaces = 300

/** A file and its log, as a process leaves them that dies after some commits of one job each. */
interface Remains {
  readonly file: Buffer
  readonly log: Buffer
  /** How long the log was after each commit. */
  readonly ends: readonly number[]
}

/** F31: what is on the disk is not what was written. */
export const damage: Scenario = {
  id: 'F31',
  fault: 'the log cut at every byte of its last frames; header and random pages damaged',
  rounds: 10_000,
  leastRounds: 50,
  async run(context) {
    const { rounds, passed, signal, program } = context
    const tally = emptyTally()
    // Thousands of files: in memory, where that can be had
    const place = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : context.folder, 'genstage-'))
    const readers = Array.from({ length: lanes }, (_, lane) => new Reader(program, place, `reader-${lane}`))
    const read = (lane: number, path: string): Promise<Reading> => readers[lane]?.open(path) ?? Promise.resolve('refused')
    try {
      const remains = await afterDeath(place, context)
      const cuts = cutsOf(remains, rounds)
      await inLanes(cuts.length, lanes, async (index, lane) => {
        if (signal.aborted) return
        await checkCut(place, remains, cuts[index] ?? 0, path => read(lane, path), tally)
        passed()
      })
      const seen = await damagePlaces(place, remains, context, path => read(0, path), tally)
      return { tally, seen: `after each cut exactly the commits before it; of ${damagedPlaces} damaged places ${seen}` }
    } finally {
      await Promise.all(readers.map(reader => reader.end()))
      rmSync(place, { recursive: true, force: true })
    }
  },
}

async function afterDeath(place: string, { random }: Context): Promise<Remains> {
  const path = join(place, 'before.db')
  const store = sqliteStore(path)
  await store.open(storeContext)
  const ends: number[] = []
  const job = { queue: 'q', kind: 'k', version: 1, args: '{}', priority: 0, delayMs: 0, maxAttempts: 3 } satisfies Omit<
    NewJob,
    'id'
  >
  for (let commit = 0; commit < commits; commit++) {
    await store.insert([{ ...job, id: uuid(random) }])
    ends.push(statSync(`${path}-wal`).size)
  }
  const remains = { file: readFileSync(path), log: readFileSync(`${path}-wal`), ends }
  await store.close()
  return remains
}

/** Where the log is cut: every byte of the last frames, and the other rounds all over what is before. */
function cutsOf({ log, ends }: Remains, rounds: number): readonly number[] {
  const first = ends[0] ?? 0
  const dense = Math.min(Math.ceil(rounds * 0.8), lastFrames)
  const step = lastFrames / dense
  const cuts = Array.from({ length: dense }, (_, index) => log.length - Math.floor(index * step))
  const sparse = rounds - dense
  const rest = log.length - lastFrames - first
  return [...cuts, ...Array.from({ length: sparse }, (_, index) => first + Math.floor((index * rest) / sparse))]
}

async function checkCut(
  place: string,
  { file, log, ends }: Remains,
  cut: number,
  read: (path: string) => Promise<Reading>,
  tally: Tally,
): Promise<void> {
  // Never the same name twice: whoever has not let go of the file before would bring its log along
  const path = join(place, `cut-${cut}.db`)
  writeFileSync(path, file)
  writeFileSync(`${path}-wal`, log.subarray(0, cut))
  const whole = ends.filter(end => end <= cut).length
  const reading = await read(path)
  remove(path)
  if (typeof reading === 'string') return void tally.violations.push(`F31: cut at ${cut}: ${reading}`)
  const { jobs, counted, isWhole } = reading
  if (jobs !== whole || counted !== whole || !isWhole)
    tally.violations.push(`F31: cut at ${cut}: ${jobs} jobs, counted ${counted}, instead of ${whole}; whole: ${isWhole}`)
}

/** Damages places of the file one by one. Answers what was seen of it. */
async function damagePlaces(
  place: string,
  { file, log }: Remains,
  { random, signal }: Context,
  read: (path: string) => Promise<Reading>,
  tally: Tally,
): Promise<string> {
  const path = join(place, 'moved.db')
  writeFileSync(path, file)
  writeFileSync(`${path}-wal`, log)
  const store = sqliteStore(path)
  await store.open(storeContext)
  await store.close()
  // All is in the file now: damage has no log to hide behind
  const whole = readFileSync(path)
  const seen = { refused: 0, told: 0, unseen: 0, ended: 0 }
  const open = async (number: number, at: number, length: number): Promise<keyof typeof seen> => {
    const damaged = join(place, `damaged-${number}.db`)
    const bytes = Buffer.from(whole)
    bytes.fill(0xa5, at, at + length)
    writeFileSync(damaged, bytes)
    const reading = await read(damaged)
    remove(damaged)
    if (reading === 'refused') return 'refused'
    if (reading === 'ended the process') return 'ended'
    return reading.isWhole ? 'unseen' : 'told'
  }
  if ((await open(0, 0, 16)) !== 'refused') tally.violations.push('F31: a file with a damaged header was opened')
  for (let number = 1; number <= damagedPlaces && !signal.aborted; number++) {
    const at = between(random, 100, whole.length - 100)
    try {
      seen[await open(number, at, between(random, 1, 64))]++
    } catch (error) {
      tally.violations.push(`F31: damaged at ${at}: ${String(error)}`)
    }
  }
  const ended = seen.ended > 0 ? `, ${seen.ended} ended the process in the driver` : ''
  return `${seen.refused} were refused, ${seen.told} found by the integrity check, ${seen.unseen} were payload or unused${ended}`
}

function remove(path: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
}
