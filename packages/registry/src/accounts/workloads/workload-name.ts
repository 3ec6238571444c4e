import { createHash } from 'node:crypto'

/** Characters of a subject that are shown. */
const longest = 200

/** As the name of a subject that was changed ends: 16 hex digits of its SHA-256. */
const mark = /~[0-9a-f]{16}$/

/**
 * The name of a workload in events, logs and as the owner of uploads. What is not printable ASCII in its subject, or is too
 * long, is replaced; a mark then keeps it apart from every other subject.
 */
export const workloadName = (issuer: string, subject: string): string => {
  const shown = subject.replaceAll(/[^ -~]/g, '?').slice(0, longest)
  // A subject that looks as if it were marked gets a mark too: otherwise it could be made to look like another.
  if (shown === subject && !mark.test(subject)) return `${issuer}:${subject}`
  return `${issuer}:${shown}~${createHash('sha256').update(subject).digest('hex').slice(0, 16)}`
}
