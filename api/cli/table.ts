// Rows of text as a table: columns as wide as their widest cell, the first and the last ones to the left, numbers to
// the right. Pure.

/** Aligns rows of cells; so many columns stand to the left at the beginning, and at the end. */
export function alignRows(rows: readonly (readonly string[])[], leftColumns: number, lastColumns = 0): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const rightEnd = widths.length - lastColumns;
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < leftColumns || column >= rightEnd ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
