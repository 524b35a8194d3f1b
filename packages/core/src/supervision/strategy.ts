/** Which children a restart of one of them concerns. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

export const strategies: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one']

/** The siblings that end and start again with `failed`: none, all, or those that were started after it. In the order of their start. */
export function companions<Child>(strategy: Strategy, children: readonly Child[], failed: Child): readonly Child[] {
  if (strategy === 'one_for_one') return []
  if (strategy === 'one_for_all') return children.filter(child => child !== failed)
  return children.slice(children.indexOf(failed) + 1)
}
