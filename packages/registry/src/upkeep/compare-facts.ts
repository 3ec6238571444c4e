import {
  effectiveArtifactType,
  isNonDistributableLayer,
  type Manifest,
  manifestReferences,
  safeParseManifest,
} from '@stowage/oci'
import type { StoredManifest } from '../metadata/upkeep-store.ts'
import type { FindingKind } from './finding.ts'

export interface FactsFinding {
  readonly kind: FindingKind
  readonly message: string
}

/** Whether what is kept of a manifest is what its bytes say, and what they reference is in its repository. */
export function* compareFacts(
  stored: StoredManifest,
  { allowMissingBlobs }: { readonly allowMissingBlobs: boolean },
): Generator<FactsFinding> {
  if (stored.size !== stored.bytes.byteLength) yield wrong('The size', stored.size, stored.bytes.byteLength)
  for (const [name, json] of [
    ['annotations', stored.annotations],
    ['platforms', stored.platforms],
  ] as const) {
    if (!isJson(json)) yield { kind: 'manifest-facts', message: `What is kept of its ${name} is not JSON.` }
  }
  const parsed = safeParseManifest(stored.bytes, stored.mediaType)
  if (!parsed.ok) {
    const [problem] = parsed.problems
    yield { kind: 'manifest-unparsable', message: `${problem?.path ?? ''} ${problem?.message ?? ''}`.trim() }
    return
  }
  const manifest = parsed.value
  const subject = manifest.subject?.digest
  if (stored.subject !== subject) yield wrong('The subject', stored.subject, subject)
  const artifactType = effectiveArtifactType(manifest)
  if (stored.artifactType !== artifactType) yield wrong('The artifact type', stored.artifactType, artifactType)
  yield* compareReferences(stored, manifest, allowMissingBlobs)
}

function* compareReferences(
  { references }: StoredManifest,
  manifest: Manifest,
  allowMissingBlobs: boolean,
): Generator<FactsFinding> {
  const kept = new Map(references.map((reference) => [`${reference.role} ${reference.digest}`, reference]))
  const seen = new Set<string>()
  for (const { role, descriptor } of manifestReferences(manifest)) {
    const { digest, mediaType } = descriptor
    const name = `${role} ${digest}`
    // A manifest may list one layer several times.
    if (seen.has(name)) continue
    seen.add(name)
    const reference = kept.get(name)
    if (reference === undefined) {
      yield { kind: 'manifest-facts', message: `Its bytes reference ${digest} (${role}), which is not kept.` }
    } else if (!reference.held && role === 'manifest') {
      yield { kind: 'child-missing', message: `The index lists ${digest}, which the repository does not have.` }
    } else if (!reference.held && !allowMissingBlobs && !isNonDistributableLayer(mediaType)) {
      yield { kind: 'reference-missing', message: `It needs ${digest} (${role}), which the repository does not have.` }
    }
  }
  for (const [name, { digest, role }] of kept) {
    if (!seen.has(name)) {
      yield {
        kind: 'manifest-facts',
        message: `A reference to ${digest} (${role}) is kept that its bytes do not have.`,
      }
    }
  }
}

const wrong = (what: string, kept: unknown, said: unknown): FactsFinding => ({
  kind: 'manifest-facts',
  message: `${what} is kept as ${show(kept)}, and its bytes say ${show(said)}.`,
})

const show = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
