import { once } from 'node:events'
import { createServer } from 'node:net'
import { byError, fixed } from '@genstage/jobs'
import { describe, expect, it } from 'vitest'
import { toFailure } from '../src/failure.ts'

/** Where nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('what fetch throws where nobody listens', () => {
  it('is known to byError by its code, which the failure has too', async () => {
    const error: unknown = await fetch(`http://127.0.0.1:${await closedPort()}`).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    const backoff = byError([['ECONNREFUSED', fixed(5_000)]], fixed(1))
    expect(backoff({ attempt: 1, error, random: () => 0 })).toBe(5_000)
    expect(toFailure(error)).toMatchObject({ code: 'ECONNREFUSED', name: 'TypeError', message: 'fetch failed' })
  })
})
