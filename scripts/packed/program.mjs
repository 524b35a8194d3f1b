// As a user of ES modules writes it; scripts/check-packages.ts runs it beside the packed packages.
import { producer, start } from '@genstage/core'

const Counter = producer(first => {
  let next = first
  return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
})

const counter = start(Counter, { arg: 1 })
const taken = []
for await (const event of counter.stream({ maxDemand: 2 })) {
  taken.push(event)
  if (taken.length === 3) break
}
await counter.stop()
console.log(taken.join(' '))
