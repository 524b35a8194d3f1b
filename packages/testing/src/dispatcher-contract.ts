import type { DispatcherFactory } from '@genstage/core'
import fc from 'fast-check'
import { claimSame, type ContractCase, ContractError } from './contract.ts'
import { type Aspect, Bench } from './dispatching/bench.ts'
import { type DispatcherCapabilities, type Subject, subjectOf } from './dispatching/capabilities.ts'
import { type Operation, scripts, written } from './dispatching/script.ts'

export type { DispatcherCapabilities } from './dispatching/capabilities.ts'

/** How long to look. */
export interface ContractRuns {
  /** Random scripts per case. Default 200. */
  readonly runs?: number
  /** Where chance begins, to repeat a failure: the message tells it. Default: another one each time. */
  readonly seed?: number
}

/** An aspect of the contract that random scripts test, for all dispatchers or for some. */
interface Tested {
  readonly aspect: Aspect
  readonly ids: readonly string[]
  readonly name: string
  readonly only?: (subject: Subject) => boolean
}

const tested: readonly Tested[] = [
  { aspect: 'presence', ids: ['GS-G3', 'GS-G7'], name: 'sends nothing to a subscription that is not there' },
  { aspect: 'demand', ids: ['GS-G7', 'INV-1', 'U1'], name: 'sends nobody more than was asked for' },
  { aspect: 'once', ids: ['GS-G7', 'INV-7'], name: 'sends no event twice, unless it was given back' },
  {
    aspect: 'conservation',
    ids: ['GS-G5', 'INV-6', 'U2'],
    name: 'loses nothing: an event is delivered, discarded, left over, or among those held',
  },
  { aspect: 'order', ids: ['GS-G7', 'INV-5', 'U3'], name: 'keeps the order, also of what it leaves over' },
  { aspect: 'broadcast', ids: ['INV-8'], name: 'sends everybody the same', only: ({ broadcasts }) => broadcasts },
  {
    aspect: 'allowance',
    ids: ['GS-G2', 'GS-G4', 'GS-G7', 'INV-3'],
    name: 'tells how many it can take: not more than was asked for, never below 0, and takes them then',
  },
  {
    aspect: 'liveness',
    ids: ['INV-10', 'U4', 'X1', 'X2', 'X4'],
    name: 'lets nothing wait that somebody could take, also of who left',
  },
  { aspect: 'infos', ids: ['GS-G6', 'INV-25', 'U9'], name: 'lets infos out in order, behind all events emitted before' },
  { aspect: 'arrays', ids: ['GS-G7'], name: 'changes no array that it was given or has handed out' },
  { aspect: 'giveBack', ids: ['GS-X21'], name: 'lets events that were given back leave before those that wait' },
  { aspect: 'time', ids: ['INV-27'], name: 'wants to be woken at times that come, and finds an end' },
]

/**
 * The contract of dispatchers (GS-G1 to GS-G8) as cases for any test framework. Most of them try random scripts of subscriptions,
 * asks, cancels, failures, emissions, infos and waits; a failure tells the shortest script that shows it.
 *
 * ```ts
 * for (const { name, run } of dispatcherContract(demandDispatcher(), {}, { runs: 20 })) {
 *   try {
 *     run()
 *   } catch (error) {
 *     console.log(name, error)
 *   }
 * }
 * console.log('kept') // => kept
 * ```
 */
export function dispatcherContract<Event = number>(
  factory: DispatcherFactory<Event>,
  capabilities: DispatcherCapabilities<Event> = {},
  runs: ContractRuns = {},
): readonly ContractCase[] {
  const subject = subjectOf(capabilities)
  const make = (aspect: Aspect): Bench => new Bench(factory, subject, aspect)
  const all = (test: (script: readonly Operation[]) => void): void => checkAll(subject, runs, test)
  return [
    ...simpleCases(make, subject),
    ...tested
      .filter(({ only }) => only === undefined || only(subject))
      .map(({ aspect, ids, name }) => ({ name, ids, run: () => all(script => void played(make(aspect), script)) })),
    {
      name: 'does the same in two runs with the same chance and time',
      ids: ['INV-27', 'GS-G1'],
      run: () => all(script => claimSame(played(make('trace'), script), played(make('trace'), script), 'the second run')),
    },
    {
      name: 'is not changed by being looked at',
      ids: ['GS-G1'],
      run: () => all(script => claimSame(played(make('trace'), script, true), played(make('trace'), script), 'a run with looks')),
    },
  ]
}

function simpleCases(make: (aspect: Aspect) => Bench, subject: Subject): readonly ContractCase[] {
  return [
    {
      name: 'takes a subscription, which by itself can take nothing',
      ids: ['GS-G2'],
      run() {
        const bench = make('demand')
        for (let seat = 0; seat < subject.seats; seat++) bench.perform({ type: 'subscribe', seat })
        claimSame(bench.allowance, 0, 'the allowance')
        bench.perform({ type: 'emit', count: 3 })
      },
    },
    {
      name: 'knows nothing of the dispatchers made before it',
      ids: ['GS-G1'],
      run() {
        const first = make('trace')
        const script: readonly Operation[] = [
          { type: 'subscribe', seat: 0 },
          { type: 'ask', seat: 0, demand: 5 },
          { type: 'emit', count: 3 },
        ]
        claimSame(played(make('trace'), script), played(first, script), 'a second dispatcher')
      },
    },
    {
      name: 'takes no notice of an ask or a cancel of somebody it does not know',
      ids: ['GS-G3', 'GS-G4'],
      run() {
        const bench = make('allowance')
        bench.perform({ type: 'subscribe', seat: 0 })
        bench.perform({ type: 'ask', seat: 0, demand: 5 })
        const { allowance } = bench
        bench.meetStranger()
        claimSame(bench.allowance, allowance, 'the allowance')
      },
    },
  ]
}

/** Plays a script to its end; answers what happened. */
function played(bench: Bench, script: readonly Operation[], looks: boolean = false): readonly string[] {
  for (const operation of script) {
    bench.perform(operation)
    if (looks) bench.inspect()
  }
  bench.finish()
  return bench.trace
}

function checkAll(subject: Subject, { runs = 200, seed }: ContractRuns, test: (script: readonly Operation[]) => void): void {
  const settings = seed === undefined ? { numRuns: runs } : { numRuns: runs, seed }
  const result = fc.check(fc.property(scripts(subject.seats), test), settings)
  if (!result.failed) return
  const error = result.errorInstance
  const message = error instanceof Error ? error.message : String(error)
  const script = written(result.counterexample?.[0] ?? [])
  throw new ContractError(`${message}\n  after: ${script}\n  seed: ${result.seed}`, { cause: error })
}
