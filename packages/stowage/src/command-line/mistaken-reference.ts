import { existsSync } from 'node:fs'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

/**
 * What looks like something else than it would be: by Docker's rules `127.0.0.1:5000` and `images.tar` are repositories of
 * Docker Hub, and a command would read from there, or write to there, what nobody meant.
 *
 * @returns the error that says what was probably meant; undefined for what is taken as it is written
 */
export const mistakenReference = (text: string): StowageError | undefined =>
  kindOfSkopeo(text) ?? registryAlone(text) ?? pathAlone(text)

/** Whoever means a service by a name without a dot gives a port such as 5000; below that are years: `amazonlinux:2023`. */
const leastPortOfName = 5000

const registryAlone = (text: string): StowageError | undefined => {
  const [, scheme = '', host = ''] = /^((?:https?|docker):\/\/)?([^/@]*)$/.exec(text) ?? []
  const [, name = '', digits] = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(host) ?? []
  if (name === '' || Number(digits ?? 0) > 65_535) return undefined
  const isAddress = name === 'localhost' || name.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)
  const hasPort = digits !== undefined && (name.includes('.') || Number(digits) >= leastPortOfName)
  if (!isAddress && !hasPort && !scheme.startsWith('http')) return undefined
  return new StowageError('usage', `${show(text)} is a registry, and not something in one.`, {
    hint: `Its repositories: stowage catalog ${scheme}${host}; one of them is written ${scheme}${host}/NAME.`,
  })
}

const pathAlone = (text: string): StowageError | undefined => {
  const [, path = '', tag = ''] = /^(.*?)((?::[\w][\w.-]*|@\w+:[0-9a-f]+)?)$/s.exec(text) ?? []
  const isTar = /\.(?:tar|tgz|tar\.gz)$/i.test(path)
  const isPath = /^(?:\.{0,2}|~)(?:\/|$)/.test(path) && path !== ''
  if (!isPath && !(isTar && (!path.includes('/') || existsSync(path)))) return undefined
  return new StowageError('usage', `${show(text)} is a path, and not a reference.`, {
    hint: isTar
      ? `Write oci-archive:${path}${tag}, or docker-archive:${path}${tag} for what docker save wrote.`
      : `An image layout in a directory is written ocidir:${path}${tag}.`,
  })
}

/** What skopeo has besides, and what is done here instead. */
const elsewhere: Readonly<Record<string, string>> = {
  dir: 'An image in a directory is a layout here: ocidir:PATH.',
  'docker-daemon':
    'Out of Docker: docker save NAME | stowage push - REFERENCE. Into it: stowage pull REFERENCE - | docker load',
  'containers-storage':
    'Out of Podman: podman save NAME | stowage push - REFERENCE. Into it: stowage pull REFERENCE - | podman load',
  ostree: 'There are ocidir:, oci-archive: and docker-archive:.',
  sif: 'There are ocidir:, oci-archive: and docker-archive:.',
  tarball: 'There are ocidir:, oci-archive: and docker-archive:.',
}

const kindOfSkopeo = (text: string): StowageError | undefined => {
  const kind = /^([a-z-]+):/.exec(text)?.[1] ?? ''
  if (!Object.hasOwn(elsewhere, kind)) return undefined
  return new StowageError('usage', `${show(text)}: there is no kind of place that is called ${kind}.`, {
    hint: `${elsewhere[kind]} For the image of that name write docker.io/library/${kind}.`,
  })
}
