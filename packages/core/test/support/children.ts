/** Children of supervisors that do what a test tells them, and write down their lives. */
import { type ChildInfo, producer, type ReasonInput } from '@genstage/core'

/** What a child is told to do. */
export type Order = 'crash' | { readonly end: ReasonInput }

/** `b up 1` for its second life, `b shutdown` for the end of one. */
export type Diary = string[]

/** Tells a child of `living`, of which only the place in the list is known. */
export function tell(root: { children(): readonly ChildInfo[] }, index: number, order: Order): void {
  const ref = root.children()[index]?.ref as { cast(order: Order): void } | undefined
  ref?.cast(order)
}

export const boom = new Error('boom')

/** A definition whose stages write down their lives under the name that is their argument. */
export function living(diary: Diary, setup: (id: string, restartCount: number) => unknown = () => undefined) {
  return producer((id: string, ctx) => {
    const callbacks = {
      handleDemand() {},
      handleCast(order: Order) {
        if (order === 'crash') throw boom
        ctx.stop(order.end)
      },
      terminate: (reason: { readonly type: string }) => void diary.push(`${id} ${reason.type}`),
    }
    const up = () => {
      diary.push(ctx.restartCount === 0 ? `${id} up` : `${id} up ${ctx.restartCount}`)
      return callbacks
    }
    const waiting = setup(id, ctx.restartCount)
    return waiting instanceof Promise ? waiting.then(up) : up()
  })
}

/** A promise, and how to settle it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}
