import { isClientError, type Location, parseLocation } from '@stowage/client'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { mistakenReference } from './mistaken-reference.ts'

/** What a command works on: a reference (see `parseLocation`), or a whole registry. */
export type Place = string | { readonly registry: string }

/** What is known of a registry from how it was written. */
export interface NamedRegistry {
  readonly registry: string
  /** Said by `http://` or `https://`. */
  readonly plainHttp: boolean | undefined
}

/** What a reference says. @throws {StowageError} `usage`, naming the reference and what is wrong with it */
export const locationOf = (reference: string): Location => {
  const mistaken = mistakenReference(reference)
  if (mistaken !== undefined) throw mistaken
  try {
    return parseLocation(reference)
  } catch (error) {
    if (!isClientError(error, 'usage')) throw error
    if (withPassword.test(reference)) {
      throw new StowageError('usage', 'A reference cannot have a user name and a password in it.', {
        hint: 'Use --username and --password-stdin, or log in before: stowage login.',
      })
    }
    throw new StowageError('usage', `${show(reference)} is not a reference. ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    })
  }
}

/** `https://me:secret@host/…`, which is not repeated in a message. What is behind the `@` of a digest is no host. */
const withPassword = /^(?:[a-z-]+:\/\/)?[^/@]*:[^/@]*@(?!sha\d+:)/

/** The registry of a place; undefined for what is on this machine. @throws {StowageError} `usage` */
export const registryOf = (place: Place): NamedRegistry | undefined => {
  if (typeof place !== 'string') return parseRegistry(place.registry)
  const location = locationOf(place)
  return location.scheme === 'registry' ? location : undefined
}

/**
 * A registry as a person writes it: `ghcr.io`, `localhost:5000`, `http://localhost:5000/`. Docker's rules tell it from a
 * repository of Docker Hub: it has a dot or a port, or is localhost.
 *
 * @throws {StowageError} `usage`
 */
export const parseRegistry = (text: string): NamedRegistry => {
  const name = text.replace(/^(?:https?|docker):\/\//, '').replace(/\/+$/, '')
  if (!/[.:]/.test(name) && name !== 'localhost') {
    throw new StowageError('usage', `${show(text)} is not a registry. Write its host, as in ghcr.io or localhost:5000.`)
  }
  const location = locationOf(`${/^https?:\/\//.exec(text)?.[0] ?? ''}${name}/x`)
  if (name.includes('/') || location.scheme !== 'registry') {
    throw new StowageError('usage', `${show(text)} is not a registry, but something in one. Write its host alone.`)
  }
  return location
}

/** Whether it is on this machine, so that bytes on the way to it cannot be read by others. */
export const isLoopback = (registry: string): boolean => {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
