/** A table in Markdown, laid out as prettier lays it out: readable in a terminal and in the documentation alike. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, column)).join(' | ')} |`
  const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** The first column names the row; all others hold figures. */
function isText(column: number): boolean {
  return column === 0
}

function pad(text: string, width: number, column: number): string {
  return isText(column) ? text.padEnd(width) : text.padStart(width)
}

/** Three digits that matter: 466, 24.0, 0.545. */
export function number(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 4))
}
