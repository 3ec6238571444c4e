/** Every client the registry is shown to, in the order of their cost. */
import { docker } from './docker.ts'
import type { Client } from './harness.ts'
import { podman } from './podman.ts'
import { seedTutorial } from './seed-tutorial.ts'
import { skopeo } from './skopeo.ts'

export const clients: readonly Client[] = [seedTutorial, podman, skopeo, docker]
