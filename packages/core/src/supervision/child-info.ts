import type { StageRef } from '../refs.ts'

/** A child of a supervisor, as it was when somebody asked. */
export interface ChildInfo {
  readonly id: string
  /** Undefined for a task, and for a stage that is down. */
  readonly ref: StageRef | undefined
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped'
  /** How often it was started again. */
  readonly restarts: number
}
