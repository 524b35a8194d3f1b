import { StageDefinition } from '../definition.ts'
import type { StageRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import type { StageType } from '../types.ts'
import type { Supervising, SupervisingHost } from './roles.ts'

/** What one life of a stage with children is made of. */
export interface SupervisingLife {
  /** Unless `supervising` has a `setUp` of its own. */
  readonly setup?: StageDefinition['setup']
  readonly supervising: (host: SupervisingHost) => Supervising
  readonly makeRef: (stage: Stage) => StageRef
}

/** The definition of a stage that has children: of a supervisor, or of a consumer supervisor. */
export class SupervisingDefinition extends StageDefinition {
  readonly begin: () => SupervisingLife

  /** `begin` is called for every life. */
  constructor(type: StageType, begin: () => SupervisingLife) {
    super(type, () => ({}))
    this.begin = begin
  }
}
