import type { Failure } from './store.ts'

/** Bounds of what is kept of an error, in UTF-8 bytes. */
const limits = { name: 128, message: 4 * 1024, stack: 8 * 1024, code: 64 }
/** How many causes, and errors inside an `AggregateError`, are looked at. */
const maxCauses = 16

/**
 * What was thrown, as data that can be stored: name, message (at most 4 KiB), the stack with its causes (at most 8 KiB), and the `code`
 * if there is one: `code`, else that of the error, else that of its nearest cause which has one. Whatever it is given, it never throws
 * (F12).
 */
export function toFailure(thrown: unknown, code?: string): Failure {
  const found = code ?? codeOf(thrown)
  const stack = stackWithCauses(thrown)
  return {
    ...(found === undefined ? {} : { code: found }),
    name: cutText(nameOf(thrown), limits.name),
    message: cutText(messageOf(thrown), limits.message),
    ...(stack === '' ? {} : { stack: cutText(stack, limits.stack) }),
  }
}

/**
 * What was thrown, then its causes and the errors inside an `AggregateError`, the nearest first: `fetch` says in a cause what is wrong.
 * At most 16 of them, each once. Never throws.
 */
export function* withCauses(thrown: unknown): Generator<object> {
  const found = new Set<unknown>()
  const queue = [thrown]
  for (const error of queue) {
    if (typeof error !== 'object' || error === null || found.has(error)) continue
    if (found.size > maxCauses) return
    found.add(error)
    yield error
    queue.push(read(error, 'cause'), ...inner(error))
  }
}

/** A stored failure as an error again, for whoever awaits the result: with the name, message, `code` and stack it had. */
export function failureError(failure: Failure): Error {
  const error = new Error(failure.message)
  const as = (value: string): PropertyDescriptor => ({ value, configurable: true, writable: true })
  Object.defineProperties(error, {
    name: as(failure.name),
    stack: as(failure.stack ?? `${failure.name}: ${failure.message}`),
    ...(failure.code === undefined ? {} : { code: { ...as(failure.code), enumerable: true } }),
  })
  return error
}

/** The text, cut at a whole character to at most so many UTF-8 bytes, without what not every store can hold (NUL, lone surrogates). */
export function cutText(text: string, maxBytes: number): string {
  const cut = text.slice(0, maxBytes + 1)
  const clean = cut.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD')
  if (Buffer.byteLength(clean) <= maxBytes) return clean
  const room = new Uint8Array(maxBytes - 3)
  return `${clean.slice(0, new TextEncoder().encodeInto(clean, room).read)}…`
}

/** A property of something that may throw when it is looked at, if it is text. */
export function textOf(value: unknown, property: string): string | undefined {
  const found = read(value, property)
  return typeof found === 'string' ? found : undefined
}

function read(value: unknown, property: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    return Reflect.get(value, property)
  } catch {
    return undefined
  }
}

/** The nearest that can be one: text which is not empty, and not too long. */
function codeOf(thrown: unknown): string | undefined {
  for (const error of withCauses(thrown)) {
    const code = textOf(error, 'code')
    if (code !== undefined && code !== '' && code.length <= limits.code) return cutText(code, limits.code)
  }
  return undefined
}

/** The name that errors bear; for everything else that was thrown `NonError`. */
function nameOf(thrown: unknown): string {
  return textOf(thrown, 'name') || (isError(thrown) || textOf(thrown, 'message') !== undefined ? 'Error' : 'NonError')
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  const message = textOf(thrown, 'message')
  if (message !== undefined) return message
  if (isError(thrown)) return 'an error whose message cannot be read'
  if (typeof thrown !== 'object' || thrown === null)
    return `${typeof thrown === 'function' ? 'a function' : String(thrown)} was thrown`
  return `an object was thrown${keysOf(thrown)}`
}

function isError(thrown: unknown): boolean {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** Names alone: the values may be anything. */
function keysOf(thrown: object): string {
  try {
    const keys = Object.keys(thrown).slice(0, 10)
    return keys.length === 0 ? '' : `, with ${keys.join(', ')}`
  } catch {
    return ''
  }
}

/** The stack, then those of the causes, in the order in which they are found, as far as there is room. */
function stackWithCauses(thrown: unknown): string {
  let text = ''
  for (const error of withCauses(thrown)) {
    if (text.length > limits.stack) break
    const stack = stackOf(error)
    if (stack !== undefined) text += text === '' ? stack : `\ncaused by ${stack}`
  }
  return text
}

/** The stack of one error. A long message is cut in it, so that there is room for where the error came from. */
function stackOf(error: object): string | undefined {
  const stack = textOf(error, 'stack')
  const message = textOf(error, 'message')
  if (stack === undefined || message === undefined || message.length <= 1024) return stack
  const at = stack.indexOf(message)
  return at === -1 ? stack : `${stack.slice(0, at)}${cutText(message, 1024)}${stack.slice(at + message.length)}`
}

/** The first of the errors inside an `AggregateError`. */
function inner(error: object): readonly unknown[] {
  const errors = read(error, 'errors')
  try {
    return Array.isArray(errors) ? errors.slice(0, maxCauses) : []
  } catch {
    return []
  }
}
