import { producerConsumer, start } from '@genstage/core'
import { asReadableStream, fromReadableStream } from '@genstage/streams'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'

/** In browsers this very file comes from the local server of the test run; elsewhere it does not come from a server. */
const url = import.meta.url.startsWith('http') ? import.meta.url : `data:text/plain,${'0123456789'.repeat(10_000)}`

describe('a body that was fetched', () => {
  it('F60 INV-5 INV-6 goes through stages into a Response, byte by byte as it came', async () => {
    const { runtime } = recordedRuntime()
    const Relay = producerConsumer(() => ({ handleEvents: (chunks: readonly BufferSource[]) => chunks }))
    const [expected, { body }] = await Promise.all([fetch(url).then(response => response.text()), fetch(url)])
    if (body === null) throw new Error('no body')
    const source = start(fromReadableStream(body), { runtime })
    const relay = start(Relay, { runtime, subscribeTo: [{ to: source, maxDemand: 2, cancel: 'transient' }] })
    source.monitor(({ reason }) => void relay.stop(reason, { drain: true }))
    const text = await new Response(asReadableStream(relay, { maxDemand: 2 })).text()
    expect(text.length).toBeGreaterThan(1_000)
    expect(text).toBe(expected)
  })
})
