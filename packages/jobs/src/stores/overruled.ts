import type { Settlement } from '../store.ts'

/** Ends of attempts after which a job would go on: a request to cancel wins over them. */
const goesOn: ReadonlySet<Settlement['to']> = new Set(['retry', 'snooze', 'release'])

/** Whether the job ends as cancelled, although its attempt ended otherwise. */
export function isOverruled({ to }: Settlement, cancelReason: string | undefined): cancelReason is string {
  return cancelReason !== undefined && goesOn.has(to)
}
