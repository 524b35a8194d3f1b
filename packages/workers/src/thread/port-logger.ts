import type { Logger } from '@genstage/core'
import type { FromThread, WireFields } from '../messages.ts'
import { crossable, wireError } from '../wire.ts'

type Line = Extract<FromThread, { readonly type: 'log' }>

/** A logger of this thread, whose lines are written on the other side. */
export function portLogger(post: (message: FromThread) => void): Logger {
  // The other side fails with the error with which the stage here has ended, and tells of it. So the last failure is held back
  let last: Line | undefined
  const write = (level: Line['level']) => (text: string, fields?: Readonly<Record<string, unknown>>) => {
    const code = fields?.['code']
    if (code === 'slow_setup') return // told on the other side, whose setup is as slow
    const line: Line = { type: 'log', level, text, fields: fields && wireFields(fields) }
    if (code !== 'stage_failed') return post(line)
    if (last !== undefined) post(last)
    last = line
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function wireFields(fields: Readonly<Record<string, unknown>>): WireFields {
  const wire = (value: unknown): WireFields[string] =>
    value instanceof Error ? { thrown: wireError(value) } : { plain: crossable(value) }
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, wire(value)]))
}
