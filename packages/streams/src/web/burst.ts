/** Steps of promises in which somebody who has more brings the next event. */
const patience = 4

/** Events that make one message, at most. */
const most = 64

const next = Promise.resolve()

/**
 * Resolves when the burst of events that has just begun is over: no more come for a few steps of promises, or there are many. A message
 * of its own for each would cost more than all that a web stream does with it. No turn of the event loop is waited for.
 */
export async function burstOver(count: () => number): Promise<void> {
  let seen = count()
  for (let step = 0; step < patience && seen < most; step++) {
    await next
    const now = count()
    if (now > seen) step = 0
    seen = now
  }
}
