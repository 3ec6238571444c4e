import { existsSync } from 'node:fs'
import { distributionServer } from './docker-registry.ts'
import { type GoProgram, goProgramPath } from './go-program.ts'

export const distributionProgram: GoProgram = {
  name: 'distribution',
  package: 'github.com/distribution/distribution/v3/cmd/registry',
  version: 'v3.1.2',
}

export const distribution = distributionServer({
  name: 'distribution 3',
  setup: `${distributionProgram.version}, with the configuration of docker-registry; OpenTelemetry export off`,
  command: () => {
    const path = goProgramPath(distributionProgram)
    return existsSync(path) ? path : undefined
  },
  // It sends traces to port 4318 of this machine unless told otherwise.
  environment: { OTEL_TRACES_EXPORTER: 'none' },
})
