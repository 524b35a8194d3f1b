const resolved = Promise.resolve()

/** What a sink does with events in every workload: adds them up. The sum is a field; as a closure variable it would be allocated anew at every write. */
export class Tally {
  sum = 0
  seen = 0

  add(event: number): void {
    this.sum += event
    this.seen++
  }

  addAll(events: readonly number[]): void {
    let sum = 0
    for (const event of events) sum += event
    this.sum += sum
    this.seen += events.length
  }

  /** The asynchronous handler of WL-8a: awaits a promise that is already there. */
  async addLater(event: number): Promise<void> {
    await resolved
    this.add(event)
  }

  /** The asynchronous task of WL-8b: waits until the event loop has come round. */
  async addNextTurn(event: number): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    this.add(event)
  }
}

/** `count` fresh tallies. */
export function tallies(count: number): Tally[] {
  return Array.from({ length: count }, () => new Tally())
}

/** The sum of all, for workloads with several sinks. */
export function total(sinks: readonly Tally[]): number {
  return sinks.reduce((sum, sink) => sum + sink.sum, 0)
}

/** One of several sinks. */
export function sinkAt(sinks: readonly Tally[], index: number): Tally {
  const sink = sinks[index]
  if (sink === undefined) throw new RangeError(`no sink ${index} among ${sinks.length}`)
  return sink
}
