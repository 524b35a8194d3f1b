import { badOption, show } from '@genstage/core/adapters'
import { validate } from 'uuid'
import { JobsError } from './errors.ts'

/**
 * Letters, digits, `_`, `-` and `.`, beginning with a letter, a digit or `_`: safe in a file name, a key, an address and a log line. What
 * stands between names elsewhere (`:`, `/`, `{}`, `*`) is never part of one.
 */
const allowed = /^\w[\w.-]{0,127}$/
const longest = 128

/** Names that lists and statistics use for something else (ROW-R7). */
const reserved: ReadonlySet<string> = new Set([
  'processed',
  'failed',
  'scheduled',
  'completed',
  'running',
  'waiting',
  'delayed',
  'discarded',
  'cancelled',
])

/** A name of a kind as it was given; `BAD_NAME` if it is none (BAD-87 to 90). */
export function checkKindName(name: unknown): string {
  return checkName('kind', name)
}

/** A name of a queue as it was given; `BAD_NAME` if it is none, or reserved (BAD-91, ROW-R7). */
export function checkQueueName(name: unknown): string {
  const queue = checkName('queue', name)
  if (!reserved.has(queue)) return queue
  throw new JobsError('BAD_NAME', `queue ${show(queue)}: the name is reserved; try ${show(`${queue}-jobs`)}`, { queue })
}

/** An id of a job in the form stores know it by (small letters); `BAD_OPTION` if it is no UUID. */
export function checkJobId(where: string, id: unknown): string {
  if (typeof id === 'string' && validate(id)) return id.toLowerCase()
  throw badOption(where, 'id', id, 'a UUID')
}

function checkName(what: 'kind' | 'queue', name: unknown): string {
  if (typeof name === 'string' && allowed.test(name)) return name
  throw new JobsError('BAD_NAME', refusal(what, name), typeof name === 'string' ? { [what]: name.slice(0, longest) } : {})
}

function refusal(what: string, name: unknown): string {
  if (typeof name !== 'string') return `${what}: the name must be text, not ${show(name)}`
  if (name === '') return `${what}: the name must not be empty`
  if (name.length > longest) return `${what} ${show(name)}: the name has ${name.length} characters, ${longest} are allowed`
  const better = name.replaceAll(/[^\w.-]+/g, '-').replace(/^[^\w]+/, '')
  // What is longer is not shown whole
  const hint = better.length <= 40 && allowed.test(better) ? `; try ${show(better)}` : ''
  return `${what} ${show(name)}: a name is made of letters, digits, "_", "-" and ".", and begins with a letter, a digit or "_"${hint}`
}
