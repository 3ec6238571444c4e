import { lifeScenarios } from './scenarios/life.ts'
import { pushScenarios } from './scenarios/pushes.ts'
import { removalScenarios } from './scenarios/removals.ts'
import { faultScenarios } from './scenarios/faults.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: readonly Scenario[] = [
  ...pushScenarios,
  ...removalScenarios,
  ...lifeScenarios,
  ...faultScenarios,
]
