import { EventEmitter } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { start } from '@genstage/core'
import { expect, it } from 'vitest'
import { fromEventEmitter } from '../../src/index.ts'
import { recordedRuntime } from '../web/support/recorded-runtime.ts'
import { emitterCases } from './support/emitter-cases.ts'

emitterCases('an EventEmitter of Node', () => new EventEmitter())

it('takes emitters whose events have types', async () => {
  const { runtime } = recordedRuntime()
  const typed = new EventEmitter<{ price: [name: string, price: number]; close: [] }>()
  const source = start(
    fromEventEmitter(typed, 'price', { map: (name: string, price: number) => ({ name, price }), end: 'close' }),
    { runtime },
  )
  await source.ready
  typed.emit('price', 'tea', 3)
  typed.emit('close')
  for await (const { name, price } of source.stream({ cancel: 'transient' })) expect([name, price]).toEqual(['tea', 3])
})

it('takes what Node emits: the connections of a server', async () => {
  const { runtime } = recordedRuntime()
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const sockets = start(fromEventEmitter<Socket>(server, 'connection', { end: 'close' }), { runtime })
  await sockets.ready
  const { connect } = await import('node:net')
  const { port } = server.address() as AddressInfo
  for (let count = 0; count < 3; count++) connect(port, '127.0.0.1').resume()
  let seen = 0
  for await (const socket of sockets.stream({ cancel: 'transient' })) {
    socket.destroy()
    if (++seen === 3) server.close()
  }
  expect(seen).toBe(3)
})
