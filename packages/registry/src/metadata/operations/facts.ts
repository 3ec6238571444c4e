import type { ManifestFacts, ManifestKind } from '../metadata-store.ts'

interface FactColumns {
  readonly kind: ManifestKind
  readonly artifactType: string | null
  readonly annotations: string
  readonly platforms: string
  readonly contentSize: number
}

/** The facts as columns of `manifests`. */
export function factColumns(facts: ManifestFacts): FactColumns {
  return {
    kind: facts.kind,
    artifactType: facts.artifactType ?? null,
    annotations: JSON.stringify(facts.annotations),
    platforms: JSON.stringify(facts.platforms),
    // Descriptors may claim sizes whose sum is beyond what JavaScript counts exactly, and SQLite's driver refuses to read.
    contentSize: Math.min(facts.contentSize, Number.MAX_SAFE_INTEGER),
  }
}

export function readFacts({ kind, artifactType, annotations, platforms, contentSize }: FactColumns): ManifestFacts {
  return {
    kind,
    ...(artifactType !== null && { artifactType }),
    contentSize,
    platforms: JSON.parse(platforms),
    annotations: JSON.parse(annotations),
  }
}
