/**
 * Supervision in use. This file is only type-checked: what is inferred, and what must not compile.
 * Every line under an expected error is a mistake that the types catch; the comment says which.
 */
import {
  child,
  consumer,
  consumerSupervisor,
  demandDispatcher,
  fromIterable,
  producer,
  producerConsumer,
  producerName,
  shutdown,
  start,
  stopOnSignals,
  stream,
  supervisor,
} from '../src/index.ts'
import type { ConsumerRef, Messages, ProducerConsumerRef, ProducerRef, Reason, SupervisorRef } from '../src/index.ts'

/** Exactly the same type, else the line does not compile. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(proof: Same<A, B>): void

type Row = { readonly value: number }
type Save = (rows: readonly Row[]) => Promise<void>
declare const save: Save
const Counter = producer((first: number) => {
  let next = first
  return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
})
const Dedupe = producerConsumer(() => ({
  handleEvents: (events: readonly number[]) => [...new Set(events)].map(value => ({ value, seen: events.length })),
}))
const Saver = consumer((save: Save) => ({ handleEvents: (rows: readonly Row[]) => save(rows) }))
const counter = start(Counter, { arg: 0 })
const Numbers = producerName<number>('numbers')
const Rows = producerName<Row>('rows')

// ── 1 a supervised pipeline with typed names

const App = supervisor(
  [
    child(Counter, { id: 'counter', arg: 0, name: Numbers, dispatcher: demandDispatcher({ maxDemand: 50 }) }),
    child(Dedupe, { id: 'dedupe', name: Rows, subscribeTo: [{ to: Numbers, resubscribe: { minDelayMs: 50, limit: 10 } }] }),
    child(Saver, {
      id: 'saver',
      arg: save,
      subscribeTo: [{ to: Rows, redeliver: { limit: 3 } }],
      restart: 'transient',
      shutdown: 1_000,
    }),
  ],
  { strategy: 'rest_for_one', maxRestarts: 5, maxSeconds: 10 },
)

const Root = supervisor([child(App, { id: 'app', shutdown: 'infinity' })])

async function run(): Promise<void> {
  await using root = start(Root, { name: 'root' })
  await root.ready
  const app = root.child('app')
  same<
    NonNullable<typeof app>,
    SupervisorRef<{
      readonly counter: ProducerRef<number, Messages>
      readonly dedupe: ProducerConsumerRef<number, { value: number; seen: number }, Messages>
      readonly saver: ConsumerRef<Row, Messages>
    }>
  >(true)
  const source: ProducerRef<number> | undefined = app?.child('counter')
  source?.stream()
  using _ = stopOnSignals(root, { timeout: 10_000, drain: true })
  const reason: Reason = await root.exited
  if (reason.type === 'shutdown') reason.detail
  // @ts-expect-error no such child
  app?.child('conter')
}

// @ts-expect-error … in a child spec neither
child(Saver, { id: 'saver', arg: save, subscribeTo: [Numbers] })
// @ts-expect-error a child needs its argument
child(Counter, { id: 'counter' })
// @ts-expect-error a child needs an id
child(Counter, { arg: 0 })
// @ts-expect-error a supervisor has no events
start(Root, { subscribeTo: [Numbers] })
// @ts-expect-error no such strategy
supervisor([child(Dedupe, { id: 'dedupe' })], { strategy: 'all_for_one' })

// ── 2 one task per event

type Mail = { readonly to: string }
const Mails = fromIterable(async function* () {
  yield { to: 'ada' } satisfies Mail
})
const Mailer = consumerSupervisor(
  async (mail: Mail, { signal }) => {
    if (!signal.aborted) mail.to.trim()
  },
  { maxRestarts: 10 },
)
const mailer = start(Mailer, { subscribeTo: [{ to: start(Mails), maxDemand: 50, minDemand: 40 }] })
void mailer.startChild({ to: 'grace' })

/** The child may be a stage, which gets the event as its argument. */
const MailStage = consumer((mail: Mail) => ({
  handleEvents(_rows: readonly Row[]) {
    mail.to.trim()
  },
}))
start(consumerSupervisor(MailStage, { restart: 'transient' }), { subscribeTo: [start(Mails)] })

// @ts-expect-error permanent is not for one event (V3)
consumerSupervisor(async (_mail: Mail) => {}, { restart: 'permanent' })
// @ts-expect-error numbers are no mail
start(Mailer, { subscribeTo: [counter] })

export { run }
