import { GenStageError, isGraceful } from '@genstage/core'
import type { Ledger } from './ledger.ts'
import { endedByItself, type Life, type Place, type TreeJournal } from './planned/tree-journal.ts'
import type { LogLine } from './simulation.ts'

/** What is checked of a tree when everything has ended. */
export interface TreeHistory {
  readonly ledger: Ledger
  readonly tree: TreeJournal
  readonly log: readonly LogLine[]
  /** The first of all beginnings and ends after the tree was told to stop. */
  readonly stoppedAt: number
}

/** INV-20: at most `maxRestarts` in any window of `maxSeconds`; the next one ends the supervisor, and only that does. */
function checkIntensity({ tree, log }: TreeHistory): readonly string[] {
  return tree.supervisors.flatMap(({ name, plan: { maxRestarts, maxSeconds } }) => {
    let from = 0
    return tree.livesOf(name).flatMap(life => {
      const lines = log.slice(from, life.loggedAtEnd).filter(({ fields }) => fields['stage'] === name)
      from = life.loggedAtEnd
      const restarts = lines.filter(({ fields }) => fields['code'] === 'restarting').map(({ at }) => at)
      const within = (first: number, last: number): boolean => last - first <= maxSeconds * 1_000
      const tooMany = restarts.find((at, index) => within(at, restarts[index + maxRestarts] ?? Infinity))
      const gaveUp = lines.filter(
        ({ fields }) => codeOf(fields['error']) === 'TOO_MANY_RESTARTS' && fields['code'] === 'stage_failed',
      )
      const early = gaveUp.find(({ at }) => restarts.filter(each => within(each, at)).length < maxRestarts)
      return [
        ...(tooMany === undefined ? [] : [`INV-20: ${name} restarted more than ${maxRestarts} times within ${maxSeconds} s`]),
        ...(gaveUp.length > 1 ? [`INV-20: ${name} gave up ${gaveUp.length} times`] : []),
        ...(early === undefined ? [] : [`INV-20: ${name} gave up after fewer than ${maxRestarts} restarts`]),
        ...(gaveUp.length === 1 && !isEndOfGivingUp(life)
          ? [`INV-20: ${name} gave up, and ended with ${life.reason?.type ?? 'nothing'}`]
          : []),
      ]
    })
  })
}

function isEndOfGivingUp({ reason }: Life): boolean {
  if (reason?.type === 'error') return codeOf(reason.error) === 'TOO_MANY_RESTARTS'
  return reason?.type === 'shutdown' || reason?.type === 'killed'
}

/** INV-17: the failure of a child is told once in the log, by its supervisor, unless that was killed meanwhile. */
function checkFailuresLogged({ ledger, tree, log }: TreeHistory): readonly string[] {
  return [...ledger.stages.values()].flatMap(({ name, thrown, exited }) => {
    const [reason] = exited
    const error = reason?.type === 'error' && thrown.includes(reason.error) ? reason.error : undefined
    if (error === undefined) return []
    // A consumer that follows its producer ends with the same error, and has a line of its own
    const times = log.filter(({ fields }) => fields['child'] === name && originsOf(fields['error']).includes(error)).length
    if (times === 1) return []
    // The start of its supervisor failed with it, and the line is about that one; or somebody had asked for its start, and was told
    const isTold = [...log.map(({ fields }) => fields['error']), ...tree.refusals].some(each => originsOf(each).includes(error))
    if (times === 0 && (isTold || wasAboveKilled(tree, name))) return []
    return [`INV-17: ${name} failed once, and the log tells it ${times} times`]
  })
}

/** INV-18: nobody is ended for the failure of another, but by the strategy of its supervisor. */
function checkIsolation(history: TreeHistory): readonly string[] {
  const { ledger, tree, stoppedAt } = history
  return tree.lives.flatMap(life => {
    const place = tree.placeOf(life.name)
    if (place?.supervisor === undefined || life.ended === undefined || life.ended >= stoppedAt) return []
    if (endedByItself(life) || follows(ledger, life) || tree.touched.has(life.name) || isEndOfAll(tree, place, life)) return []
    const strategy = tree.placeOf(place.supervisor)?.plan?.strategy ?? 'one_for_one'
    const isGuilty = (order: number): boolean =>
      strategy === 'one_for_all' || (strategy === 'rest_for_one' && order < place.order)
    if (isCompanion(history, place, life, isGuilty)) return []
    return [`INV-18: ${life.name} was ended (${life.reason?.type ?? ''}) below ${place.supervisor} (${strategy}) without cause`]
  })
}

/** INV-21: after the end of the tree nothing begins. */
function checkNothingAfter({ tree }: TreeHistory): readonly string[] {
  const root = tree.livesOf(tree.supervisors[0]?.name ?? '')[0]
  return tree.lives.flatMap(({ name, made, ended }) => [
    ...(made > (root?.ended ?? Infinity) ? [`INV-20: ${name} began after the end of the tree`] : []),
    ...(ended === undefined ? [`INV-21: ${name} has not ended`] : []),
  ])
}

/** INV-21: no child outlives its supervisor. */
function checkNobodyOutlives({ tree }: TreeHistory): readonly string[] {
  return tree.supervisors.flatMap(({ name }) =>
    tree.livesOf(name).flatMap((life, index) => {
      const end = life.ended ?? Infinity
      const before = tree.livesOf(name)[index - 1]?.ended ?? -1
      const orphans = tree.lives.filter(
        each =>
          tree.placeOf(each.name)?.supervisor === name &&
          each.begun !== undefined &&
          each.begun > before &&
          each.begun < end &&
          (each.ended ?? Infinity) > end &&
          life.reason?.type !== 'killed',
      )
      return orphans.map(each => `INV-21: ${each.name} lived on when ${name} had ended`)
    }),
  )
}

/** What must hold of a tree at the very end. */
export const treeInvariants: readonly ((history: TreeHistory) => readonly string[])[] = [
  checkIntensity,
  checkFailuresLogged,
  checkIsolation,
  checkNothingAfter,
  checkNobodyOutlives,
]

/** Whether it ended with one of its producers. */
function follows(ledger: Ledger, { id }: Life): boolean {
  return [...ledger.subscriptions.values()].some(
    ({ consumer, mode, ended }) =>
      consumer === id &&
      ended.consumer.some(({ reason }) => mode === 'permanent' || (mode === 'transient' && !isGraceful(reason))),
  )
}

/** Whether its supervisor ended as well, before anybody was started there again; or was killed, and its children with it. */
function isEndOfAll(tree: TreeJournal, place: Place, { ended = 0 }: Life): boolean {
  const above = tree.livesOf(place.supervisor ?? '')
  if (above.some(({ reason }) => reason?.type === 'killed')) return true
  const end = above.find(each => (each.ended ?? -1) > ended)?.ended ?? -1
  const isNextBegun = tree.lives.some(
    ({ name, made }) => made > ended && made < end && tree.placeOf(name)?.supervisor === place.supervisor,
  )
  return end > ended && !isNextBegun
}

/** Whether its supervisor told of the restart of a sibling, by its order, while it was up or about to be. */
function isCompanion({ tree, log }: TreeHistory, place: Place, life: Life, isGuilty: (order: number) => boolean): boolean {
  const lives = tree.livesOf(life.name)
  const since = lives[lives.indexOf(life) - 1]?.loggedAtEnd ?? 0
  return log.slice(since, life.loggedAtEnd).some(({ fields }) => {
    const sibling = tree.placeOf(String(fields['child']))
    return fields['code'] === 'restarting' && sibling?.supervisor === place.supervisor && isGuilty(sibling?.order ?? -1)
  })
}

function wasAboveKilled(tree: TreeJournal, name: string): boolean {
  for (let place = tree.placeOf(name); place?.supervisor !== undefined; place = tree.placeOf(place.supervisor))
    if (tree.livesOf(place.supervisor).some(({ reason }) => reason?.type === 'killed')) return true
  return false
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

/** A failure, and what stands behind it where a supervisor tells of it. */
function originsOf(error: unknown): readonly unknown[] {
  return error instanceof GenStageError ? [error, ...originsOf(error.cause)] : [error]
}
