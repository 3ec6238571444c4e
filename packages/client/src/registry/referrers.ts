import { type Descriptor, type Digest, safeParseDescriptor } from '@stowage/oci'
import { type Page, type Pages, toPages } from '../content/pages.ts'
import type { ReferrersOptions } from '../content/ports.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import { pullScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { linkedPages } from './links.ts'
import { callOptions, describePlace, type Place, readAny, type RepositoryContext } from './place.ts'
import { readReferrersTag } from './referrers-tag-schema.ts'

/**
 * end-12a, end-12b; where a registry has no referrers API, the tag that stands in for it.
 *
 * "If the registry does not support the referrers API (404), the client MUST fallback to pulling the referrers tag schema."
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
      }
    }
    const { manifests } = await readReferrersTag(context, subject, options)
    yield { items: manifests.filter(wanted), more: false }
  })
}

/** 404 is what the specification has. Registries from before it say that they know no such path in other ways as well. */
const isUnknown = (error: unknown): boolean =>
  isNotFound(error) || (isClientError(error) && [400, 405, 406, 501].includes(error.status ?? 0))

const fromApi = (
  context: RepositoryContext,
  digest: Digest,
  options: ReferrersOptions,
  wanted: (descriptor: Descriptor) => boolean,
): Pages<Descriptor> => {
  const { artifactType } = options
  const subject = `the referrers of ${describePlace(context.own)}@${digest}`
  let from = context
  return linkedPages<Descriptor>({
    subject,
    ask: async (next, read) => {
      const build = ({ registry, name }: Place): Call => ({
        registry,
        repository: name,
        scopes: [pullScope(name)],
        method: 'GET',
        target: next ?? `/v2/${name}/referrers/${digest}`,
        query: next === undefined && artifactType !== undefined ? { artifactType } : {},
        expect: [200],
        subject,
        ...callOptions(options),
      })
      return readAny(from, build, async (answer, place) => {
        const page = await read(answer)
        from = { ...context, readFrom: [place] }
        return page
      })
    },
    items: (body) => {
      const manifests = typeof body === 'object' && body !== null && 'manifests' in body ? body.manifests : undefined
      if (manifests === null) return []
      if (!Array.isArray(manifests)) {
        throw new ClientError('invalid-response', `${subject}: the registry's answer is no index.`, { subject })
      }
      // "OCI-Filters-Applied" or not: filtering what is filtered changes nothing.
      return manifests.flatMap((item) => {
        const parsed = safeParseDescriptor(item)
        return parsed.ok && wanted(parsed.value) ? [parsed.value] : []
      })
    },
  })
}
