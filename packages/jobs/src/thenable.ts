/** Whether something that user code answered is to be waited for: a promise of any make. `Promise.resolve` makes one of ours of it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return 'then' in value && typeof value.then === 'function'
}
