/** Every client the registry is shown to, in the order of their cost. */
import { crane } from './crane.ts'
import { docker } from './docker.ts'
import type { Client } from './harness.ts'
import { oras } from './oras.ts'
import { podman } from './podman.ts'
import { pythonReggie } from './python-reggie.ts'
import { recipes } from './recipes.ts'
import { regctl } from './regctl.ts'
import { seedTutorial } from './seed-tutorial.ts'
import { skopeo } from './skopeo.ts'
import { stowageClient } from './stowage-command.ts'

export const clients: readonly Client[] = [
  seedTutorial,
  pythonReggie,
  recipes,
  stowageClient,
  podman,
  crane,
  oras,
  regctl,
  skopeo,
  docker,
]
