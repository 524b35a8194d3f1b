/** What a parent and its child process say to each other. */
import type { Commands } from './commands.ts'

export interface Ask {
  readonly number: number
  readonly command: keyof Commands
  readonly args: readonly unknown[]
}

export type FromChild =
  /** The store is open, and the runner works. */
  | { readonly type: 'ready' }
  /** It could not start. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'answer'; readonly number: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly number: number; readonly code: string; readonly message: string }

/** An error as it crosses to another process. */
export function told(error: unknown): { readonly code: string; readonly message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'none'
  return { code, message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}
