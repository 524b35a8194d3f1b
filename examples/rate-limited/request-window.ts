/** Counts requests, and those that come too fast. Time is given from outside, in milliseconds. */
export interface RequestWindow {
  /** A request comes in. False if there have been `limit` others within the last `perMs`. */
  begin(now: number): boolean
  /** A request has been answered. */
  end(): void
  /** When each came. */
  readonly times: readonly number[]
  /** Requests that came too fast. */
  readonly violations: number
  /** The most requests in any time of `perMs`. */
  readonly most: number
  /** The most that were being answered at the same time. */
  readonly mostAtOnce: number
}

/** A window that slides: it looks back from each request, not to the last full second. So it misses no violation. */
export function requestWindow(limit: number, perMs: number): RequestWindow {
  const times: number[] = []
  /** Where in `times` the window begins. */
  let first = 0
  let atOnce = 0
  const counts = { violations: 0, most: 0, mostAtOnce: 0 }
  return {
    begin(now) {
      times.push(now)
      while ((times[first] ?? now) <= now - perMs) first++
      const inWindow = times.length - first
      counts.most = Math.max(counts.most, inWindow)
      counts.mostAtOnce = Math.max(counts.mostAtOnce, ++atOnce)
      if (inWindow > limit) counts.violations++
      return inWindow <= limit
    },
    end() {
      atOnce--
    },
    times,
    get violations() {
      return counts.violations
    },
    get most() {
      return counts.most
    },
    get mostAtOnce() {
      return counts.mostAtOnce
    },
  }
}
