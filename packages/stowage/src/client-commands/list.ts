import type { ListedCommand } from '../command-line/find-command.ts'

/**
 * The commands of the client, in the order of `stowage --help`. A new one is an entry here and a file beside this one; it has
 * to be in `docs/commands.md` too, as the test of that page will say.
 *
 * Names that begin with the same word make a group. An alias that is only that word is what the group means without a verb.
 */
export const clientCommands: readonly ListedCommand[] = [
  {
    name: 'login',
    aliases: ['auth login', 'registry login'],
    summary: 'log in to a registry',
    load: async () => (await import('./login.ts')).login,
  },
  {
    name: 'logout',
    aliases: ['auth logout', 'registry logout'],
    summary: 'forget the credentials of a registry',
    load: async () => (await import('./logout.ts')).logout,
  },
  {
    name: 'whoami',
    aliases: ['auth whoami', 'registry whoami'],
    summary: 'show who a registry will be told you are',
    load: async () => (await import('./whoami.ts')).whoami,
  },
  {
    name: 'ping',
    aliases: ['registry ping'],
    summary: 'ask whether a registry is there and lets you in',
    load: async () => (await import('./ping.ts')).ping,
  },
  {
    name: 'ls',
    aliases: ['tags', 'tag ls', 'tag list', 'repo tags', 'list-tags'],
    summary: 'list the tags of a repository, layout or archive',
    load: async () => (await import('./ls.ts')).ls,
  },
  {
    name: 'catalog',
    aliases: ['repo ls', 'repo list'],
    summary: 'list the repositories of a registry',
    load: async () => (await import('./catalog.ts')).catalog,
  },
  {
    name: 'digest',
    aliases: ['resolve', 'image digest'],
    summary: 'print the digest that a reference names',
    load: async () => (await import('./digest.ts')).digest,
  },
  {
    name: 'inspect',
    aliases: ['image inspect'],
    summary: 'show what an image is',
    load: async () => (await import('./inspect.ts')).inspect,
  },
  {
    name: 'config',
    aliases: ['image config', 'manifest fetch-config'],
    summary: 'print the config of an image',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'tag',
    aliases: ['tag add'],
    summary: 'give further tags to what a reference names',
    load: async () => (await import('./tag.ts')).tag,
  },
  {
    name: 'tag rm',
    aliases: ['tag delete'],
    summary: 'remove a tag, and never the manifest',
    load: async () => (await import('./tag-rm.ts')).tagRm,
  },
  {
    name: 'rm',
    aliases: ['delete', 'manifest rm', 'manifest delete'],
    summary: 'delete the manifest that a reference names',
    load: async () => (await import('./rm.ts')).rm,
  },
  {
    name: 'manifest get',
    aliases: ['manifest', 'manifest fetch'],
    summary: 'print a manifest, byte for byte',
    load: async () => (await import('./manifest-get.ts')).manifestGet,
  },
  {
    name: 'manifest head',
    aliases: [],
    summary: 'print what is known of a manifest without reading it',
    load: async () => (await import('./manifest-head.ts')).manifestHead,
  },
  {
    name: 'manifest put',
    aliases: ['manifest push'],
    summary: 'push a manifest from a file',
    load: async () => (await import('./manifest-put.ts')).manifestPut,
  },
  {
    name: 'blob get',
    aliases: ['blob', 'blob fetch'],
    summary: 'read a blob',
    load: async () => (await import('./blob-get.ts')).blobGet,
  },
  {
    name: 'blob head',
    aliases: [],
    summary: 'print what is known of a blob without reading it',
    load: async () => (await import('./blob-head.ts')).blobHead,
  },
  {
    name: 'blob push',
    aliases: ['blob put'],
    summary: 'push a blob from a file',
    load: async () => (await import('./blob-push.ts')).blobPush,
  },
  {
    name: 'blob rm',
    aliases: ['blob delete'],
    summary: 'delete a blob',
    load: async () => (await import('./blob-rm.ts')).blobRm,
  },
  {
    name: 'cp',
    aliases: ['copy', 'image copy', 'image cp'],
    summary: 'copy an image from any place to any other',
    load: async () => (await import('./cp.ts')).cp,
  },
  {
    name: 'sync',
    aliases: ['repo copy', 'repo sync'],
    summary: 'copy all images of repositories, or some',
    load: async () => (await import('./sync.ts')).sync,
  },
  {
    name: 'push',
    aliases: [],
    summary: 'push an image from a file, or files',
    load: async () => (await import('./push.ts')).push,
  },
  {
    name: 'pull',
    aliases: [],
    summary: 'pull an image into a file, or files',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'image push',
    aliases: [],
    summary: 'push an image from a file or directory',
    load: async () => (await import('./image-push.ts')).imagePush,
  },
  {
    name: 'image pull',
    aliases: ['image export', 'image save', 'save'],
    summary: 'pull an image into a file or directory',
    load: async () => (await import('./image-pull.ts')).imagePull,
  },
  {
    name: 'artifact push',
    aliases: ['artifact put'],
    summary: 'push files as an artifact',
    load: async () => (await import('./artifact-push.ts')).artifactPush,
  },
  {
    name: 'artifact pull',
    aliases: ['artifact get'],
    summary: 'pull the files of an artifact',
    load: async () => (await import('./artifact-pull.ts')).artifactPull,
  },
  {
    name: 'attach',
    aliases: ['artifact attach'],
    summary: 'push files about an image: an SBOM, a signature',
    load: async () => (await import('./attach.ts')).attach,
  },
  {
    name: 'discover',
    aliases: ['referrers', 'artifact tree', 'artifact list', 'artifact ls'],
    summary: 'show what refers to an image',
    load: async () => (await import('./discover.ts')).discover,
  },
  {
    name: 'validate',
    aliases: ['image validate'],
    summary: 'look whether an image is whole',
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'du',
    aliases: ['image du'],
    summary: 'show how much room images take',
    load: async () => (await import('./du.ts')).du,
  },
  {
    name: 'completion',
    aliases: [],
    summary: 'print a script that completes commands in a shell',
    load: async () => (await import('./completion.ts')).completion,
  },
]
