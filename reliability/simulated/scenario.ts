import type { World } from './world.ts'

/** Something clients and administrators do, which a power cut may hit anywhere. */
export interface Scenario {
  readonly name: string
  /** Bytes that the system takes at once. Default: all that it is given. */
  readonly mostAtOnce?: number
  /** Whether no registry was started before. Default: one was. */
  readonly emptyDisk?: boolean
  /** Whether most of what happens is the same thing many times: then fewer subsets of it are tried. */
  readonly alike?: boolean
  run(world: World): Promise<void>
}
