import { isTag } from '@stowage/oci'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

/** `host/app:v1,v2`: a reference with further tags behind it, as oras has it. @throws {StowageError} `usage` */
export const splitTags = (text: string): { readonly reference: string; readonly tags: readonly string[] } => {
  const [reference = '', ...tags] = text.split(',')
  const wrong = tags.find((tag) => !isTag(tag))
  if (wrong === undefined) return { reference, tags }
  throw new StowageError(
    'usage',
    `${show(text)}: ${show(wrong)} is not a tag. A tag has letters, digits, "_", "." and "-".`,
  )
}
