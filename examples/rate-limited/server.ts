/** A service that allows so many requests in a time, as a real HTTP server on this machine. It refuses more, and keeps count. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../shared/random.ts'
import { requestWindow } from './request-window.ts'
import type { RequestWindow } from './request-window.ts'

export interface WeatherService extends AsyncDisposable {
  readonly url: string
  /** What it has counted by now. */
  readonly requests: Omit<RequestWindow, 'begin' | 'end'>
}

export interface ServiceOptions {
  /** So many requests are allowed in any time of `perMs`. */
  readonly limit: number
  readonly perMs: number
  /** The longest time that an answer takes; the shortest is a quarter of it. */
  readonly slowestMs: number
}

/**
 * Starts the service on a free port. `GET /weather/17` answers with the temperature there, or with status 429; `GET /` only says
 * that it is there, and does not count.
 */
export async function startService({ limit, perMs, slowestMs }: ServiceOptions): Promise<WeatherService> {
  const requests = requestWindow(limit, perMs)
  const random = randomFrom(1)
  const server = createServer((request, response) => {
    if (request.url === '/') return void response.writeHead(204).end()
    const place = Number(request.url?.split('/').at(-1))
    const isAllowed = requests.begin(performance.now())
    void sleep(slowestMs * (0.25 + 0.75 * random())).then(() => {
      requests.end()
      if (isAllowed) response.end(JSON.stringify({ place, celsius: celsiusAt(place) }))
      else response.writeHead(429).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** The weather is the same every day, so that answers can be checked. */
export function celsiusAt(place: number): number {
  return ((place * 7_919) % 55) - 15
}
