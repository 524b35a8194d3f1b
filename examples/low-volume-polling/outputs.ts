/** Where roots go: plain functions, one for a file and one for an HTTP API. */
import { appendFile } from 'node:fs/promises'
import type { Root } from './numbers.ts'

/** Adds a line for each root, such as `east-7 25 5`; all of them at once. */
export async function appendRoots(file: string, roots: readonly Root[]): Promise<void> {
  await appendFile(file, roots.map(({ id, number, root }) => `${id} ${number} ${root}\n`).join(''))
}

/** Posts roots to an API that knows each by its id: to post one again does no harm. */
export async function postRoots(api: string, roots: readonly Root[], signal: AbortSignal): Promise<void> {
  const body = JSON.stringify(roots.map(({ id, number, root }) => ({ id, number, root })))
  const response = await fetch(`${api}/roots`, { method: 'POST', body, signal })
  if (!response.ok) throw new Error(`${api} answered ${response.status}`)
}
