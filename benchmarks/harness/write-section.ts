import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Puts text between the two marker comments of a page, in place of what is there: `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 * A page without them gets them at its end; a page that is not there is made.
 */
export function writeSection(file: string, name: string, text: string, title: string): void {
  const page = existsSync(file) ? readFileSync(file, 'utf8') : `# ${title}\n`
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const section = `${begin}\n\n${text.trim()}\n\n${end}`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from >= 0 && to < from) throw new Error(`${file} has the marker ${begin} but no ${end} after it`)
  const written = from < 0 ? `${page.trimEnd()}\n\n${section}\n` : page.slice(0, from) + section + page.slice(to + end.length)
  writeFileSync(file, written)
}
