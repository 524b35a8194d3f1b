import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'

/** Refuses what is no function (`BAD_OPTION`), at the call. */
export function checkFunction(where: string, option: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new GenStageError('BAD_OPTION', `${where}: ${option} must be a function, not ${show(value)}`, { option })
}
