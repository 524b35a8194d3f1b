/** How long something took: processor time of the whole process (every thread, the collector included) beside the wall clock. */
export interface Elapsed {
  readonly processorMs: number
  readonly wallMs: number
}

/** A running measurement; reading it does not stop it. */
export interface Stopwatch {
  read(): Elapsed
}

export function startStopwatch(): Stopwatch {
  const processor = process.cpuUsage()
  const wall = performance.now()
  return {
    read() {
      const { user, system } = process.cpuUsage(processor)
      return { processorMs: (user + system) / 1000, wallMs: performance.now() - wall }
    },
  }
}

/** Collects garbage now, so that one run does not pay for the one before it. Cells are started with `--expose-gc`. */
export function collectGarbage(): void {
  globalThis.gc?.()
}
