import { defaultRuntime, type Runtime } from '@genstage/core'

/** The longest interval that timers take. */
const longestMs = 2 ** 31 - 1

/**
 * Keeps the process alive until the answer is called: timers of the runtime do not, and somebody waits or works. In a runtime of a test,
 * whose time is not that of the machine, nothing is held.
 */
export function holdProcess(runtime: Runtime): () => void {
  if (runtime !== defaultRuntime) return () => {}
  const timer = setInterval(() => {}, longestMs)
  return () => clearInterval(timer)
}
