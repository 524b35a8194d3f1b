/** What the parts of the runner share while they replay one scenario. */
import type { DemandMode, Messages, ProducerConsumerRef, Runtime, Source } from '@genstage/core'
import type { Recorder } from './recorder.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface Scene {
  readonly runtime: Runtime
  readonly recorder: Recorder
  readonly subscriptions: Subscriptions
  /** What `to` takes for a stage of that id: its ref, also when it has ended, or else a name that nobody has. */
  source(id: string): Source<number>
}

/** `emit` is a call with the events, `raise` a cast, `info` brings a word. */
type StageMessages = Messages<readonly number[], string, 'raise', string>

/** A ref as it is at run time, where each has all methods, whatever the type of its stage. */
export interface AnyRef extends ProducerConsumerRef<number, number, StageMessages> {
  setDemandMode(mode: DemandMode): void
}

/**
 * Lets a value pass for what the types want. Scenarios do on purpose what the types of the library forbid: wrong options,
 * consumers that emit, producers that choose the mode, methods on the wrong kind of stage. The library must withstand that at
 * run time too, so the types are set aside, here and nowhere else.
 */
export function deliberately<T>(value: unknown): T {
  return value as T
}
