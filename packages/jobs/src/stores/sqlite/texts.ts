import type { SqlValue } from './driver.ts'

/**
 * Texts of users that are no JSON already (keys, reasons, log lines) are stored as JSON. It escapes NUL characters, at which a text ends
 * for one of the drivers, and halves of surrogate pairs, of which UTF-8 makes replacement characters: with them two keys could become one.
 */
export function toText(text: string): string {
  return JSON.stringify(text)
}

export function fromText(value: SqlValue | undefined): string {
  return JSON.parse(String(value)) as string
}

/** Text, or undefined where the column is empty. */
export function textOf(value: SqlValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

export function numberOf(value: SqlValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}
