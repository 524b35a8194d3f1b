import type { Dispatched, DispatcherWarning } from './dispatcher.ts'
import { named } from './dispatcher-faults.ts'
import { ownError, show } from './errors.ts'
import type { Host } from './host.ts'
import { failure } from './reason.ts'

/** Posts to the stage itself what its dispatcher wants done in the stage's turn. */
export function postWishes(host: Host, { infos = [], asks = [], cancels = [] }: Dispatched): void {
  for (const message of infos) host.post({ type: 'info', message })
  for (const { to, demand } of asks) host.post({ type: 'refill', subscription: to.subscriptionId, demand })
  for (const { to, reason } of cancels) {
    const error = reason.type === 'error' ? ownError(reason.error) : undefined
    const told = error === undefined ? reason : failure(named(host, error))
    host.post({ type: 'cancelSubscriber', subscription: to.subscriptionId, reason: told })
  }
}

/** Writes what a dispatcher warns of to the log (GS-D9). */
export function logWarnings(host: Host, warnings: readonly DispatcherWarning[]): void {
  for (const { code, ...fields } of warnings) host.log(code, warningText(code, fields), fields)
}

function warningText(code: string, fields: Readonly<Record<string, unknown>>): string {
  if (code === 'ask_over_max')
    return `consumer ${show(fields['consumer'])} asked for ${show(fields['n'])} events, above the maximum of ${show(fields['max'])}`
  if (code === 'partition_full') {
    return `partition ${show(fields['partition'])} holds ${show(fields['n'])} events (maxQueued ${show(fields['max'])}): the producer pauses until its consumer asks`
  }
  return `the dispatcher warns: ${code}`
}
