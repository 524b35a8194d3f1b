/** What every job carries: about 80 bytes of JSON, as a small job of an application would. */
export interface Payload {
  /** Which run it belongs to: jobs that an earlier run left behind do not count. */
  readonly run: number
  readonly n: number
  readonly to: string
  readonly subject: string
}

export function payloadOf(run: number, n: number): Payload {
  return { run, n, to: `user-${String(n).padStart(7, '0')}@example.org`, subject: 'Welcome' }
}

/** Payloads number `from` to `from + count - 1` of a run. */
export function payloadsOf(run: number, from: number, count: number): readonly Payload[] {
  return Array.from({ length: count }, (_, index) => payloadOf(run, from + index))
}
