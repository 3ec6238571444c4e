/** A rule that a store must keep; `docs/doctor.md` has them all. `database` is the file or the server that keeps the rows. */
export type Invariant = 'I2' | 'I3' | 'I4' | 'I6' | 'I8' | 'I9' | 'I10' | 'I12' | 'database'

/** Something that is wrong (`problem`), or that is as it may be and worth knowing (`note`). */
export type Severity = 'problem' | 'note'

interface Kind {
  readonly invariant: Invariant
  readonly severity: Severity
  /** What to do about it. */
  readonly remedy: string
}

const pushAgain =
  'Run a scrub: then the registry says that it does not have it, and a push of the image brings it again. Or bring the file ' +
  'back from a backup, under the same name.'
const report = 'Please report it: no use of the registry should lead here.'
const byHand = 'Stop the server and mend it as the section says, or restore a backup.'

/** Everything that an examination can find. `docs/doctor.md` has a section for each. */
export const findingKinds = {
  'database-damaged': {
    invariant: 'database',
    severity: 'problem',
    remedy: 'Stop the server and restore a backup; the section says how to save what is newer. Check the disk.',
  },
  'row-orphaned': { invariant: 'database', severity: 'problem', remedy: byHand },
  'check-failed': {
    invariant: 'database',
    severity: 'problem',
    remedy: 'See what the message says, then examine the store again: this part of it was not looked at.',
  },

  'blob-missing': { invariant: 'I2', severity: 'problem', remedy: pushAgain },
  'blob-size': { invariant: 'I2', severity: 'problem', remedy: pushAgain },
  'blob-digest': { invariant: 'I2', severity: 'problem', remedy: pushAgain },
  'blob-unreadable': {
    invariant: 'I2',
    severity: 'problem',
    remedy: 'Check the disk, that it is mounted, and whose the files are; then examine the store again.',
  },
  'key-shared': { invariant: 'I2', severity: 'problem', remedy: `Run a scrub and push the images again. ${report}` },
  'garbage-in-use': {
    invariant: 'I2',
    severity: 'problem',
    remedy: 'Stop the server at once, take the row out of the list of garbage as the section says, and start it again.',
  },
  'content-missing': {
    invariant: 'I2',
    severity: 'problem',
    remedy: 'Push the manifest again by its digest, or delete it.',
  },
  'manifest-digest': {
    invariant: 'I2',
    severity: 'problem',
    remedy:
      'Run a scrub: then the registry says that it does not have the manifest, and a push brings it again. Or restore a backup.',
  },
  'blob-quarantined': { invariant: 'I2', severity: 'note', remedy: 'Push an image that has it again.' },
  'manifest-quarantined': { invariant: 'I2', severity: 'note', remedy: 'Push it again, or delete it.' },

  'reference-missing': {
    invariant: 'I3',
    severity: 'problem',
    remedy: 'Push the image again: the client sends what is missing. Or delete the manifest.',
  },
  'child-missing': {
    invariant: 'I3',
    severity: 'note',
    remedy: 'Nothing, if the image was copied for some platforms only. Else push it again with all of them.',
  },
  'tag-dangling': { invariant: 'I4', severity: 'problem', remedy: 'Push the tag again, or delete it.' },
  'link-dangling': { invariant: 'I6', severity: 'problem', remedy: 'Push an image that has the blob again.' },
  'usage-wrong': {
    invariant: 'I8',
    severity: 'problem',
    remedy: `Nothing is lost, but quotas count wrongly. ${byHand}`,
  },
  'manifest-facts': {
    invariant: 'I9',
    severity: 'problem',
    remedy: 'Delete the manifest and push it again: what is kept of it beside its bytes is made at a first push.',
  },
  'references-dangling': { invariant: 'I9', severity: 'problem', remedy: byHand },
  'manifest-unparsable': {
    invariant: 'I9',
    severity: 'note',
    remedy: 'Nothing: it is served as it was pushed. This version would not accept it in a push.',
  },

  'orphan-files': {
    invariant: 'I10',
    severity: 'note',
    remedy: 'Garbage collection takes them, when they are old enough. None of it is needed.',
  },
  'orphan-uploads': {
    invariant: 'I10',
    severity: 'note',
    remedy: 'The server takes them away a day after their last byte.',
  },
  'garbage-waiting': {
    invariant: 'I10',
    severity: 'note',
    remedy: 'The server deletes them a minute after they became garbage.',
  },
  'blob-unlinked': { invariant: 'I10', severity: 'problem', remedy: byHand },
  'content-unused': { invariant: 'I10', severity: 'problem', remedy: byHand },
  'unused-wrong': { invariant: 'I10', severity: 'problem', remedy: byHand },
  'untagged-wrong': { invariant: 'I10', severity: 'problem', remedy: byHand },

  'event-unreadable': { invariant: 'I12', severity: 'problem', remedy: byHand },
  'receiver-ahead': { invariant: 'I12', severity: 'problem', remedy: byHand },
} as const satisfies Record<string, Kind>

export type FindingKind = keyof typeof findingKinds

/** What an examination found, in words that say what it means and what to do. */
export interface Finding {
  readonly invariant: Invariant
  readonly severity: Severity
  /** A section of `docs/doctor.md`. */
  readonly kind: FindingKind
  readonly repository?: string
  /** A digest, a tag, a key, an actor: what it is about. */
  readonly subject: string
  readonly message: string
  readonly remedy: string
}

export const finding = (
  kind: FindingKind,
  found: { readonly repository?: string; readonly subject: string; readonly message: string },
): Finding => {
  const { invariant, severity, remedy } = findingKinds[kind]
  return { invariant, severity, kind, ...found, remedy }
}
