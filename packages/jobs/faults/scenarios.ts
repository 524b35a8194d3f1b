import type { Scenario } from './scenario.ts'
import { backlogs } from './scenarios/backlogs.ts'
import { crashLoops } from './scenarios/crash-loops.ts'
import { damage } from './scenarios/damage.ts'
import { fullDisks } from './scenarios/full-disks.ts'
import { strangeThrows, strayErrors, stuckHandlers } from './scenarios/handlers.ts'
import { killAtRandom } from './scenarios/kill-at-random.ts'
import { killInEnqueue } from './scenarios/kill-in-enqueue.ts'
import { killInUpkeep } from './scenarios/kill-in-upkeep.ts'
import { killAfterClaim, killAfterComplete, killBeforeComplete, killInClaim } from './scenarios/kill-inside-calls.ts'
import { listeners } from './scenarios/listeners.ts'
import { rescuePages } from './scenarios/rescue-pages.ts'
import { rivals } from './scenarios/rivals.ts'
import { sharing } from './scenarios/sharing.ts'
import { cycles, stopping } from './scenarios/stopping.ts'
import { uniques } from './scenarios/uniques.ts'
import { threadDeaths } from './scenarios/thread-deaths.ts'
import { wallClock } from './scenarios/wall-clock.ts'
import { blockedLoops, zombies } from './scenarios/zombies.ts'

/** All of them, in the order of the matrix. */
export const scenarios: readonly Scenario[] = [
  killAtRandom,
  killAfterClaim,
  killInClaim,
  killBeforeComplete,
  killAfterComplete,
  killInEnqueue,
  killInUpkeep,
  zombies,
  rivals,
  blockedLoops,
  stuckHandlers,
  strangeThrows,
  strayErrors,
  threadDeaths,
  crashLoops,
  damage,
  fullDisks,
  sharing,
  wallClock,
  uniques,
  stopping,
  cycles,
  backlogs,
  listeners,
  rescuePages,
]
