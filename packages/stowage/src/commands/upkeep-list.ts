import type { ListedCommand } from '../command-line/find-command.ts'

/** The commands that keep a registry in order. */
export const upkeepCommands: readonly ListedCommand[] = [
  {
    name: 'gc',
    aliases: ['garbage-collect'],
    summary: 'take away blobs that no manifest uses',
    load: async () => (await import('./gc.ts')).gc,
  },
  {
    name: 'retention preview',
    aliases: [],
    summary: 'say which tags the rules would take away',
    load: async () => (await import('./retention-preview.ts')).retentionPreview,
  },
  {
    name: 'retention apply',
    aliases: [],
    summary: 'apply the rules now',
    load: async () => (await import('./retention-apply.ts')).retentionApply,
  },
  {
    name: 'restore',
    aliases: [],
    summary: 'bring back a tag that retention removed',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'scrub',
    aliases: [],
    summary: 'compare every blob with its digest',
    load: async () => (await import('./scrub.ts')).scrub,
  },
  {
    name: 'doctor',
    aliases: ['fsck'],
    summary: 'say whether anything is wrong, and how to mend it',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'backup',
    aliases: [],
    summary: 'copy the whole registry while it is served',
    load: async () => (await import('./backup.ts')).backup,
  },
]
