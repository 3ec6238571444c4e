import { RegistryError } from '../errors.ts'

/** @param consequence What follows from the tag being immutable, and what to do instead. */
export const tagImmutable = (tag: string, consequence: string): RegistryError =>
  new RegistryError('tag-immutable', `The tag ${tag} is immutable in this repository. ${consequence}`, {
    detail: { tag },
  })
