import { json } from 'node:stream/consumers'
import { startServer } from './local-server.ts'
import type { LocalServer } from './local-server.ts'
import type { Root } from './numbers.ts'

export interface RootsApi extends LocalServer {
  /** What it has been told, by id. */
  readonly roots: ReadonlyMap<string, Root>
  /** How many posts it has accepted. */
  readonly posts: number
  /** Roots that it knew already. */
  readonly repeated: number
}

/** Starts an API that takes roots: `POST /roots` with a list. When `fails` says so it answers with status 503, and has taken nothing. */
export async function startRootsApi(fails: () => boolean = () => false): Promise<RootsApi> {
  const roots = new Map<string, Root>()
  const counts = { posts: 0, repeated: 0 }

  function take(posted: readonly Root[]) {
    counts.posts++
    for (const root of posted) {
      if (roots.has(root.id)) counts.repeated++
      roots.set(root.id, root)
    }
  }

  const server = await startServer((request, response) => {
    if (request.url !== '/roots' || request.method !== 'POST') return void response.writeHead(404).end()
    const answer = (status: number) => void response.writeHead(status).end()
    json(request).then(
      posted => {
        if (fails()) return answer(503)
        take(posted as readonly Root[])
        answer(204)
      },
      () => answer(400),
    )
  })
  return {
    ...server,
    roots,
    get posts() {
      return counts.posts
    },
    get repeated() {
      return counts.repeated
    },
  }
}
