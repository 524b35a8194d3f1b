import type { Restart, Shutdown, Strategy } from '@genstage/core'
import type { Action, StagePlan, SubscriptionPlan } from './topology-plan.ts'

/**
 * A topology below a tree of supervisors, and what happens to it, as plain data. Stages have names, and subscribe to names, so that
 * they find each other again after a restart. Each stage is in the tree once.
 */
export interface TreePlan {
  readonly stages: readonly StagePlan[]
  /** `manual` means nothing here. */
  readonly subscriptions: readonly SubscriptionPlan[]
  readonly root: SupervisorPlan
  readonly actions: readonly TreeAction[]
}

/** A supervisor and its children, in the order of their start. */
export interface SupervisorPlan {
  readonly strategy: Strategy
  readonly maxRestarts: number
  readonly maxSeconds: number
  /** The wait before a first restart; the longest is eight times as long. 0: none. */
  readonly backoffMs: number
  readonly children: readonly ChildPlan[]
}

/** A child is a stage, by its place in the list, or a supervisor. */
export type ChildPlan = {
  readonly restart: Restart
  readonly shutdown: Shutdown
} & ({ readonly stage: number } | { readonly supervisor: SupervisorPlan })

/** What may happen to a tree; `stage` and `supervisor` are places, counted round. Supervisors are counted from the root down. */
export type TreeAction =
  | Extract<Action, { readonly type: 'steps' | 'settle' | 'advance' | 'emit' | 'crash' | 'kill' | 'stop' }>
  /** By the supervisor of that stage. */
  | { readonly type: 'terminateChild' | 'restartChild' | 'deleteChild'; readonly stage: number }
  | { readonly type: 'killSupervisor'; readonly supervisor: number }
