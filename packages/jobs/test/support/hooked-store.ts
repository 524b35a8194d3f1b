import type { Store } from '../../src/store.ts'

type Calls = {
  [
    Name in keyof Required<Store> as Required<Store>[Name] extends (...args: never[]) => Promise<unknown> ? Name : never
  ]: Required<Store>[Name]
}

/** The calls that can be watched. */
export type StoreCall = keyof Calls

/** What comes between a caller and the store, by method: it calls the store or not, before or after, and answers what it likes. */
export type StoreHooks = {
  [Name in keyof Calls]?: (call: () => ReturnType<Calls[Name]>, ...args: Parameters<Calls[Name]>) => ReturnType<Calls[Name]>
} & {
  /** Tells no hint at all. */
  silent?: boolean
}

/** A store whose calls can be watched and disturbed while a test runs: the hooks are looked up at every call. */
export function hookedStore(store: Store, hooks: StoreHooks): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        if (name === 'listen' && hooks.silent === true) return () => {}
        const call = (): unknown => Reflect.apply(member, target, args)
        const hook: unknown = Reflect.get(hooks, name)
        return typeof hook === 'function' ? Reflect.apply(hook, undefined, [call, ...args]) : call()
      }
    },
  })
}
