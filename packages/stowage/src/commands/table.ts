/** Rows in columns, below their names; `none` in place of a table without rows. */
export const table = (names: readonly string[], rows: readonly (readonly string[])[], none: string): string => {
  if (rows.length === 0) return none
  const all = [names, ...rows]
  const widths = names.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `2026-11-24T15:00:00Z`, or a dash for what has not happened. */
export const instant = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '-' : new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
