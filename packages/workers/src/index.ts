/**
 * `@genstage/workers`: stages whose callbacks run on a worker thread of their own.
 *
 * To read the sources: on-thread.ts (the definition that stands on this side), thread-link.ts (what its stage has to do with the thread),
 * thread-port.ts (the thread and the way to it), messages.ts (what the two sides say), cargo.ts and wire.ts (how events and errors cross).
 * Then thread.ts, the program of the thread, with thread/load.ts, thread/thread-stage.ts (the stage over there), thread/sources.ts (its
 * producers) and thread/life.ts (its callbacks).
 */
export { onThread } from './on-thread.ts'
export type { AnyDefinition, OnThreadOptions, ThreadOptions, ThreadWorkerOptions, TypeOption } from './thread-options.ts'
