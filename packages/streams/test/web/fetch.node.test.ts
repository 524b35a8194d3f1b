/** A body that comes over the network, through stages, into a response. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { producerConsumer, start } from '@genstage/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { asReadableStream, fromReadableStream, throughTransformStream } from '../../src/index.ts'
import { recordedRuntime, rejectionOf, until } from './support/recorded-runtime.ts'

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function bodyOf(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { body } = await fetch(url)
  if (body === null) throw new Error('no body')
  return body
}

const line = (number: number): string => `line number ${number} of the body\n`

const Upper = producerConsumer(() => ({ handleEvents: (texts: readonly string[]) => texts.map(text => text.toUpperCase()) }))

describe('a fetch body', () => {
  it('INV-5 INV-6 goes through stages into a response', async () => {
    const lines = 5_000
    const url = await serve((_, response) => {
      for (let number = 0; number < lines; number++) response.write(line(number))
      response.end()
    })
    const { runtime } = recordedRuntime()
    const transient = { cancel: 'transient', maxDemand: 8 } as const
    const body = start(fromReadableStream(await bodyOf(url)), { runtime })
    const decode = throughTransformStream(() => new TextDecoderStream())
    const texts = start(decode, { runtime, subscribeTo: [{ to: body, ...transient }] })
    const upper = start(Upper, { runtime, subscribeTo: [{ to: texts, ...transient }] })
    // As guide page 8 tells: a stage in the middle that is drained hands on what it has
    texts.monitor(() => void upper.stop('normal', { drain: true }))
    const bytes = start(
      throughTransformStream(() => new TextEncoderStream()),
      { runtime, subscribeTo: [{ to: upper, ...transient }] },
    )
    const text = await new Response(asReadableStream(bytes, { maxDemand: 8 })).text()
    expect(text.length).toBe(Array.from({ length: lines }, (_, number) => line(number).length).reduce((a, b) => a + b))
    expect(text.startsWith(line(0).toUpperCase()) && text.endsWith(line(lines - 1).toUpperCase())).toBe(true)
  })

  it('F60 a connection that breaks fails the response with the error of the body', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('the beginning')
      setImmediate(() => response.destroy())
    })
    const { runtime } = recordedRuntime()
    const body = start(fromReadableStream(await bodyOf(url)), { runtime })
    const { exited } = body
    const failure = await rejectionOf(new Response(asReadableStream(body)).text())
    const reason = await exited
    expect(failure).toBeInstanceOf(TypeError)
    expect(reason.type === 'error' && reason.error).toBe(failure)
  })

  it('F60 who cancels in mid-body closes the connection', async () => {
    let closed = false
    const url = await serve((_, response) => {
      response.on('close', () => {
        closed = true
      })
      const more = (): void => {
        while (response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const { runtime } = recordedRuntime()
    const body = start(fromReadableStream(await bodyOf(url), { onCancel: 'stop' }), { runtime })
    const reader = asReadableStream(body, { maxDemand: 1 }).getReader()
    await reader.read()
    expect(closed).toBe(false)
    await reader.cancel()
    expect(await body.exited).toEqual({ type: 'normal' })
    await until(() => closed)
  })
})
