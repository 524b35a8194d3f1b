// As a user of CommonJS writes it; scripts/check-packages.ts runs it beside the packed packages.
const { consumer, fromIterable, start } = require('@genstage/core')

const Printer = consumer(() => {
  const taken = []
  return {
    handleEvents(events) {
      taken.push(...events)
    },
    handleCancel() {
      console.log(taken.join(' '))
    },
  }
})

const numbers = start(fromIterable([1, 2, 3]))
start(Printer, { subscribeTo: [{ to: numbers, cancel: 'temporary' }] })
