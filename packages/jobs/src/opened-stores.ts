import type { Store, StoreContext } from './store.ts'

interface Opened {
  users: number
  opening: Promise<void>
}

/** The stores that are open, with how many clients and runners use each: the first opens it, the last closes it. */
const opened = new WeakMap<Store, Opened>()
/** Stores that are being closed: who opens one again waits for that. */
const closing = new WeakMap<Store, Promise<void>>()

/** Opens a store for one more user. Rejects as `Store.open` does. */
export async function openStore(store: Store, context: StoreContext): Promise<void> {
  let entry = opened.get(store)
  if (entry === undefined) {
    const closed = closing.get(store)
    entry = { users: 0, opening: closed === undefined ? store.open(context) : closed.then(() => store.open(context)) }
    opened.set(store, entry)
  }
  entry.users++
  try {
    await entry.opening
  } catch (error) {
    if (opened.get(store) === entry) opened.delete(store)
    throw error
  }
}

/** One user less. Resolves when the store is closed, if it was the last one. */
export async function closeStore(store: Store): Promise<void> {
  const entry = opened.get(store)
  if (entry === undefined || --entry.users > 0) return
  opened.delete(store)
  const closed = store.close()
  closing.set(
    store,
    closed.catch(() => {}),
  )
  await closed
}
