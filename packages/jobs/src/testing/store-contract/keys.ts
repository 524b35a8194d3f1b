import type { Unique } from '../../store.ts'
import { same } from './same.ts'
import type { StoreBench } from './store-bench.ts'

export function unique(until: Unique['until'], conflict: Unique['conflict'], key: string = 'key'): Unique {
  return { key, until, conflict }
}

export async function holder(bench: StoreBench, key: Unique): Promise<string> {
  return isInserted(bench, key, 'for the first time')
}

export async function isInserted(bench: StoreBench, key: Unique, when: string): Promise<string> {
  const [answer] = await bench.insertAll([{ unique: key }])
  same(answer?.outcome, 'inserted', `outcome ${when}`)
  return answer?.id ?? ''
}

export async function isDuplicateOf(bench: StoreBench, id: string, key: Unique, when: string): Promise<void> {
  same(await bench.insertAll([{ unique: key }]), [{ id, outcome: 'duplicate' }], `answer ${when}`)
}
