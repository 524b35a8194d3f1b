import process from 'node:process'

/** With npm in between, one Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const echoMs = 200
const signals = ['SIGINT', 'SIGTERM'] as const

/** What can be stopped in order. */
export interface Stoppable {
  readonly clock: { now(): number }
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

/** When each runner was first told. */
const runners = new Map<Stoppable, number | undefined>()

/** Stops on SIGINT and SIGTERM; a second signal ends the grace. Returns how to end it. */
export function stopOnProcessSignals(runner: Stoppable): () => void {
  if (runners.size === 0) for (const signal of signals) process.on(signal, stopAll)
  runners.set(runner, undefined)
  return () => {
    if (runners.delete(runner) && runners.size === 0) for (const signal of signals) process.off(signal, stopAll)
  }
}

function stopAll(): void {
  for (const [runner, since] of runners) {
    const now = runner.clock.now()
    if (since === undefined) {
      runners.set(runner, now)
      void runner.stop()
    } else if (now - since >= echoMs) void runner.stop({ graceMs: 0 })
  }
}
