import fc from 'fast-check'

/** Something that a parser must do with every input of a kind. */
export interface ParserProperty {
  readonly name: string
  /** How many of the cases it gets, beside the others: less where one costs more. */
  readonly share: number
  /** @returns what is wrong, with the shortest input that could be found; undefined when nothing is. */
  run(cases: number, seed: number): Promise<string | undefined>
}

/** @param predicate False, or an error, where it does not hold. */
export const holds = <T>(
  name: string,
  input: fc.Arbitrary<T>,
  predicate: (input: T) => boolean | Promise<boolean>,
  share = 10,
): ParserProperty => ({
  name,
  share,
  run: async (numRuns, seed) => {
    // Without a promise for each case where there is nothing to wait for.
    const details = predicate.constructor.name.startsWith('Async')
      ? await fc.check(
          fc.asyncProperty(input, async (value) => predicate(value)),
          { numRuns, seed },
        )
      : fc.check(fc.property(input, predicate as (input: T) => boolean), { numRuns, seed })
    return details.failed ? `${name}: ${fc.defaultReportMessage(details)}` : undefined
  },
})

/** Texts of these pieces alone. */
export const textOf = (pieces: readonly string[], maxLength = 24): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...pieces), maxLength })

export const charactersOf = (characters: string, { minLength = 0, maxLength = 24 } = {}): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), minLength, maxLength })

/** Garbage that looks like what is parsed, since garbage of all characters is refused by its first. */
export const garbageOf = (pieces: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: textOf(pieces) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
export const alphanumeric = `${lower}${digits}`
export const letters = `${lower}${lower.toUpperCase()}`

/** Names of repositories, by the grammar of the distribution specification. */
export const repositoryName: fc.Arbitrary<string> = fc
  .array(
    fc
      .array(
        fc.tuple(
          fc.constantFrom('.', '_', '__', '-', '--', '---'),
          charactersOf(alphanumeric, { minLength: 1, maxLength: 6 }),
        ),
        { maxLength: 3 },
      )
      .chain((rest) =>
        charactersOf(alphanumeric, { minLength: 1, maxLength: 6 }).map((first) => first + rest.flat().join('')),
      ),
    { minLength: 1, maxLength: 4 },
  )
  .map((components) => components.join('/'))

export const tag: fc.Arbitrary<string> = fc
  .tuple(
    charactersOf(`${letters}${digits}_`, { minLength: 1, maxLength: 1 }),
    charactersOf(`${letters}${digits}._-`, { maxLength: 20 }),
  )
  .map(([first, rest]) => first + rest)

const hex = (length: number): fc.Arbitrary<string> =>
  charactersOf('0123456789abcdef', { minLength: length, maxLength: length })

export const digest: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: hex(64).map((encoded) => `sha256:${encoded}`) },
  { weight: 1, arbitrary: hex(96).map((encoded) => `sha384:${encoded}`) },
  { weight: 1, arbitrary: hex(128).map((encoded) => `sha512:${encoded}`) },
)

/** Whether it throws, if it throws at all, what is documented. */
export const throwsOnly = (run: () => unknown, documented: (error: unknown) => boolean): boolean => {
  try {
    run()
    return true
  } catch (error) {
    return documented(error)
  }
}
