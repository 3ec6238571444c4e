import type { Sample, Series } from './result.ts'

/**
 * Measures A B C, A B C, …: a disturbance of the machine meets all of them alike. The first turn of each warms up (the
 * page cache, the JIT) and is not counted.
 */
export async function alternate<Subject extends { readonly name: string }>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<Sample>,
): Promise<Series[]> {
  const taken = subjects.map((subject) => ({ subject, samples: new Array<Sample>() }))
  for (let round = 0; round <= rounds; round += 1) {
    for (const { subject, samples } of taken) {
      // One at a time is the point: two loads at once would measure each other.
      samples.push(await measure(subject, round))
    }
  }
  return taken.map(({ subject, samples }) => {
    const [warmUp, ...counted] = samples
    if (warmUp === undefined) throw new RangeError('a row needs at least one round')
    return { name: subject.name, warmUp, rounds: counted }
  })
}
