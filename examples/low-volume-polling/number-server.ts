import { startServer } from './local-server.ts'
import type { LocalServer } from './local-server.ts'
import type { NumberFeed } from './number-feed.ts'

/**
 * Starts a server that sometimes has a new number: `GET /next` answers with it, or with status 204. When `fails` says so it answers
 * with status 500, and keeps its numbers.
 */
export function startNumberServer(feed: NumberFeed, fails: () => boolean = () => false): Promise<LocalServer> {
  const started = performance.now()
  return startServer((request, response) => {
    if (request.url !== '/next') return void response.writeHead(404).end()
    if (fails()) return void response.writeHead(500).end()
    const found = feed.next(performance.now() - started)
    if (found) response.end(JSON.stringify(found))
    else response.writeHead(204).end()
  })
}
