import { type Descriptor, type Digest, safeParseDescriptor } from '@stowage/oci'
import { type Page, type Pages, toPages } from '../content/pages.ts'
import type { ReferrersOptions } from '../content/ports.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import { pullScope } from '../transport/scopes.ts'
import { linkedPages } from './links.ts'
import { askAndRead, callOptions, describePlace, type RepositoryContext } from './place.ts'
import { readReferrersTag } from './referrers-tag-schema.ts'

/**
 * end-12a, end-12b, of the registry itself; where it has no referrers API, the tag that stands in for it.
 *
 * "If the referrers API returns a 404, the client MUST fallback to pulling the referrers tag schema."
 */
export const listReferrers = (
  context: RepositoryContext,
  subject: Digest,
  options: ReferrersOptions = {},
): Pages<Descriptor> => {
  const { referrers } = context.transport.host(context.own.registry)
  const { artifactType } = options
  const wanted = (descriptor: Descriptor): boolean =>
    artifactType === undefined || descriptor.artifactType === artifactType
  return toPages(async function* (): AsyncIterable<Page<Descriptor>> {
    let refusal: ClientError | undefined
    if (referrers !== 'tag') {
      let begun = false
      try {
        for await (const page of fromApi(context, subject, options, wanted).pages()) {
          begun = true
          yield page
        }
        return
      } catch (error) {
        // In the middle of a list there is no other one to go on with.
        if (referrers === 'api' || begun || !isUnknown(error)) throw error
        if (!isNotFound(error)) refusal = error
      }
    }
    const { manifests, state } = await readReferrersTag(context, subject, options)
    // Only a 404 says that there is no API. Where the tag does not speak for that either, nothing is known.
    if (refusal !== undefined && state !== 'index') throw refusal
    yield { items: manifests.filter(wanted), more: false }
  })
}

/** 404 is what the specification has. Registries from before it say that they know no such path in other ways as well. */
const isUnknown = (error: unknown): error is ClientError =>
  isNotFound(error) || (isClientError(error) && [400, 405, 406, 501].includes(error.status ?? 0))

const fromApi = (
  { transport, own }: RepositoryContext,
  digest: Digest,
  options: ReferrersOptions,
  wanted: (descriptor: Descriptor) => boolean,
): Pages<Descriptor> => {
  const { artifactType } = options
  const subject = `the referrers of ${describePlace(own)}@${digest}`
  const bad = (what: string): ClientError =>
    new ClientError('invalid-response', `${subject}: the registry's answer ${what}.`, { subject })
  return linkedPages<Descriptor>({
    subject,
    ask: async (next, read) =>
      askAndRead(
        transport,
        {
          registry: own.registry,
          repository: own.name,
          scopes: [pullScope(own.name)],
          method: 'GET',
          target: next ?? `/v2/${own.name}/referrers/${digest}`,
          query: next === undefined && artifactType !== undefined ? { artifactType } : {},
          expect: [200],
          subject,
          ...callOptions(options),
        },
        read,
      ),
    items: (body) => {
      const manifests = typeof body === 'object' && body !== null && 'manifests' in body ? body.manifests : undefined
      if (manifests === null) return []
      if (!Array.isArray(manifests)) throw bad('is no index')
      // "OCI-Filters-Applied" or not: filtering what is filtered changes nothing.
      return manifests
        .map((item: unknown, index) => {
          const parsed = safeParseDescriptor(item)
          // Left out, it would be a signature or a list of contents that nobody misses.
          if (!parsed.ok) throw bad(`has an entry that is no descriptor (manifests[${index}])`)
          return parsed.value
        })
        .filter(wanted)
    },
  })
}
