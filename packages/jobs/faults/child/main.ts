/** The program of the processes that are killed, stopped and frozen. Its opening is the first argument, as JSON. */
import { createRuntime, defaultRuntime, type Logger, type Runtime } from '@genstage/core'
import { openClient, sqliteStore, startRunner, type JobClient, type JobRunner } from '../../src/index.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import { LedgerWriter } from '../ledger.ts'
import { badLogger, listenBadly } from './bad-listeners.ts'
import { type Commands, commandsOf } from './commands.ts'
import { die, Fatality } from './fatal-store.ts'
import { faultKinds } from './kinds.ts'
import type { Opening } from './opening.ts'
import { type Ask, type FromChild, told } from './port.ts'
import { Tokens } from './tokens.ts'
import { witnessedStore } from './witnessed-store.ts'

const opening = JSON.parse(process.argv[2] ?? '{}') as Opening
const ledger = new LedgerWriter(opening.ledger)
const tokens = new Tokens()
let wallOffsetMs = 0

const say = (message: FromChild): void => void process.send?.(message)
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

const fatality = opening.fatal === undefined ? undefined : new Fatality(opening.fatal)
const { path, busyTimeoutMs } = opening
const driver = fatality === undefined ? 'auto' : fatality.inside(chooseDriver('auto'))
const witnessed = witnessedStore(sqliteStore({ path, busyTimeoutMs, driver }), ledger, tokens)
const store = fatality?.around(witnessed) ?? witnessed

const { clock } = defaultRuntime
const runtime: Runtime =
  opening.hasClockOfItsOwn === true
    ? createRuntime({ clock: { now: clock.now, setTimer: clock.setTimer, wallTime: () => clock.wallTime() + wallOffsetMs } })
    : defaultRuntime
const logger = opening.badListeners === undefined ? quiet : badLogger(opening.badListeners)
// Thousands of other processes do not load what threads need
const threads =
  opening.threads === undefined ? undefined : (await import('./thread-kinds.ts')).threadKinds({ ledger, tokens }, opening.threads)
const kinds = [...faultKinds({ ledger, tokens }), ...(threads?.kinds ?? [])]
const runner: JobRunner | undefined =
  opening.runner === undefined ? undefined : startRunner({ ...opening.runner, store, kinds, runtime, logger })
const client: JobClient = runner ?? openClient({ store, kinds, runtime, logger })

threads?.listen(client)
if (opening.badListeners !== undefined) listenBadly(client, opening.badListeners)
client.events.on('leaseLost', ({ id }) => ledger.write('leaseLost', { job: id, token: tokens.tokenOf(id) }))
client.events.on('stuck', ({ id }) => ledger.write('stuck', { job: id, token: tokens.tokenOf(id) }))
client.events.on('blocked', () => ledger.write('blocked'))

const commands: Commands = commandsOf({
  client,
  store,
  ledger,
  path,
  stop: graceMs => (runner === undefined ? client.close() : runner.stop(graceMs === undefined ? {} : { graceMs })),
  setWallClock: offsetMs => void (wallOffsetMs = offsetMs),
  pool: () => threads?.pool() ?? { running: 0, waiting: 0 },
})

process.on('message', ({ number, command, args }: Ask) => {
  const work = async (): Promise<unknown> => Reflect.apply(commands[command], commands, args)
  work().then(
    value => say({ type: 'answer', number, value }),
    (error: unknown) => say({ type: 'refusal', number, ...told(error) }),
  )
})
// Without a parent there is nobody to end it
process.once('disconnect', die)
// A runner holds the process by itself; one that has stopped is to end although its parent still listens
if (runner !== undefined) process.channel?.unref()

for (let stops = 0; stops < (opening.stopsAtOnce ?? 0); stops++) void client.close()
client.ready.then(
  () => say({ type: 'ready' }),
  (error: unknown) => say({ type: 'failed', ...told(error) }),
)
