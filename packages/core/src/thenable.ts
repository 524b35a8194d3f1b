/** Whether something is to be waited for. Asked of what callbacks return, never of events (BAD-56). */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
