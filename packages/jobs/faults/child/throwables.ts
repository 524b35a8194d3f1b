/** What handlers throw that should not be thrown (F12), by name. */
export const throwables = {
  'an error': () => new Error('plain'),
  'a text': () => 'just a text',
  undefined: () => undefined,
  null: () => null,
  'a frozen object': () => Object.freeze({ reason: 'frozen' }),
  'an error that is its own cause': () => {
    const error = new Error('cyclic')
    error.cause = error
    return error
  },
  'an error whose message throws': () =>
    Object.defineProperty(new Error('hidden'), 'message', {
      get: () => {
        throw new Error('thrown by the getter')
      },
    }),
  'a message of 10 MB': () => new Error('x'.repeat(10 * 1024 * 1024)),
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('thrown by the proxy')
        },
      },
    ),
} as const satisfies Record<string, () => unknown>

export type Thrown = keyof typeof throwables
