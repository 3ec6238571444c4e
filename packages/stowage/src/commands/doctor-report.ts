import type { ExamineProgress, Finding } from '@stowage/registry'
import { approximately } from '../terminal/bytes.ts'
import { plural } from './upkeep-report.ts'

/** What a store's examination found, for people and for programs. */
export interface Diagnosis {
  add(finding: Finding): void
  problems(): number
  value(looked: ExamineProgress): object
  text(looked: ExamineProgress): string
}

/** What each rule says, in the order of the report and in the words of `docs/doctor.md`. */
const invariants: Readonly<Record<Finding['invariant'], string>> = {
  database: 'The database is whole',
  I2: 'Every blob and manifest has its bytes, and they have its digest',
  I3: 'What a manifest needs is in its repository',
  I4: 'Every tag names a manifest that is there',
  I6: 'A repository has what it links',
  I8: 'Counters of quotas say what is stored',
  I9: 'What is kept of a manifest is what its bytes say',
  I10: 'What nobody needs goes, in the end',
  I12: 'Every change is told, in order',
}

/** Of each kind: a disk that was lost has as many as there are blobs. */
const mostKept = 1000
const mostShown = 10

export const createDiagnosis = ({ data, deep }: { readonly data: string; readonly deep: boolean }): Diagnosis => {
  const kinds = new Map<Finding['kind'], { found: number; kept: Finding[] }>()
  const severities = { problem: 0, note: 0 }

  const add = (finding: Finding): void => {
    severities[finding.severity] += 1
    const kind = kinds.get(finding.kind) ?? { found: 0, kept: [] }
    kinds.set(finding.kind, kind)
    kind.found += 1
    if (kind.kept.length < mostKept) kind.kept.push(finding)
  }

  const value: Diagnosis['value'] = (looked) => {
    const findings = [...kinds.values()].flatMap(({ kept }) => kept)
    return {
      data,
      deep,
      looked,
      problems: severities.problem,
      notes: severities.note,
      findings,
      ...(findings.length < severities.problem + severities.note && { onlyFirst: mostKept }),
    }
  }

  const text: Diagnosis['text'] = ({ blobs, manifests, bytes }) => {
    const how = deep ? `${approximately(bytes)} read` : 'without reading blobs: --deep does'
    const looked = `Looked at ${plural(manifests, 'manifest')} and ${plural(blobs, 'blob')}, ${how}.`
    const sections = Object.entries(invariants).flatMap(([invariant, title]) => {
      const here = [...kinds.values()].filter(({ kept: [first] }) => first?.invariant === invariant)
      if (here.length === 0) return []
      return [`${invariant === 'database' ? '' : `${invariant}  `}${title}`, ...here.map(describeKind)]
    })
    const problems = plural(severities.problem, 'problem')
    const notes = severities.note === 0 ? '' : `, and ${plural(severities.note, 'thing')} worth knowing`
    const result = severities.problem === 0 ? `Nothing is wrong${notes}.` : `${problems}${notes}.`
    const more = sections.length === 0 ? '' : ' docs/doctor.md has a section for each.'
    return [...sections, `${looked} ${result}${more}`].join('\n\n')
  }
  return { add, problems: () => severities.problem, value, text }
}

const describeKind = ({ found, kept }: { readonly found: number; readonly kept: readonly Finding[] }): string => {
  const [first] = kept
  if (first === undefined) return ''
  const shown = kept.slice(0, mostShown).map(({ repository, subject, message }) => {
    const what = repository === undefined ? subject : `${repository}  ${subject}`
    return `    ${what}\n      ${message}`
  })
  const more = found > shown.length ? [`    … and ${(found - shown.length).toLocaleString('en')} more`] : []
  const sign = first.severity === 'note' ? 'note' : 'problem'
  return [
    `  ${first.kind} (${found === 1 ? sign : plural(found, sign)})`,
    ...shown,
    ...more,
    `    ${first.remedy}`,
  ].join('\n')
}
