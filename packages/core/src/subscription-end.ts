import { GenStageError, ownError, show } from './errors.ts'
import type { UpstreamLink } from './links.ts'
import { isGraceful } from './reason.ts'
import type { Ended } from './types.ts'

/** Whether a consumer stops because of the end of a subscription (GS-K3 to K8). */
export function isFollowed(link: UpstreamLink, { kind, reason }: Ended): boolean {
  // A failure of the producer counts for the one in its place as well, which may be one that is made anew
  if (link.replaced && (kind === 'cancel' || link.resubscription !== undefined)) return false
  if (reason.type === 'error' && ownError(reason.error)?.code === 'ALREADY_SUBSCRIBED') return false
  return link.mode === 'permanent' || (link.mode === 'transient' && !isGraceful(reason))
}

/** Why a subscription was never accepted, for those who wait for that. */
export function refusal(link: UpstreamLink, { kind, reason }: Ended): GenStageError {
  const refused = kind === 'cancel' && reason.type === 'error' ? ownError(reason.error) : undefined
  if (refused !== undefined) return refused
  const stage = link.producerLabel
  return new GenStageError('STOPPED', `stage ${show(stage)} was gone, or the subscription cancelled, before it was accepted`, {
    stage,
    reason,
  })
}
