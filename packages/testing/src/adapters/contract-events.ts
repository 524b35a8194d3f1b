/** Events that a careless adapter takes for no event. */
export const falsyEvents: readonly unknown[] = [0, '', false, null, undefined, NaN]

/** 1 to `count`. */
export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

/** The same events in chunks of random sizes, empty ones among them. */
export function chunksOf<Event>(events: readonly Event[], random: () => number): readonly (readonly Event[])[] {
  const chunks: (readonly Event[])[] = []
  for (let from = 0; from < events.length;) {
    const size = Math.floor(random() * 8)
    chunks.push(events.slice(from, from + size))
    from += size
  }
  return chunks
}

/** An event that looks like a promise, and tells whether somebody took it for one. */
export function thenable(): { readonly event: object; wasCalled(): boolean } {
  let called = false
  const event = {
    // oxlint-disable-next-line unicorn/no-thenable -- an event may be any thenable
    then() {
      called = true
    },
  }
  return { event, wasCalled: () => called }
}
