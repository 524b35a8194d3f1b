// Jobs in a file, as a user of CommonJS writes them; scripts/check-packages.ts runs it beside the packed packages.
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { kind, openClient, sqliteStore, startRunner } = require('@genstage/jobs')

const leaseMs = 1_500
const times = { leaseMs, heartbeatMs: 200, sweepMs: 100 }
const Add = kind('add', ({ a, b }) => a + b)

// The other process: it takes over what a runner holds whose lease is over
async function watch(file) {
  const watcher = startRunner({ store: sqliteStore(file), kinds: [Add], queues: { other: 1 }, ...times })
  await watcher.ready
  console.log('watching')
  await watcher.done
}

async function main(file) {
  // The first start works; a job that it has no handler for stays behind
  const first = startRunner({ store: sqliteStore(file), kinds: [Add], queues: { default: 2 } })
  const sum = await (await first.enqueue(Add, { a: 2, b: 3 })).result()
  const client = openClient({ store: sqliteStore(file) })
  const left = await client.enqueue('greet', { name: 'you' })
  await client.close()
  await first.stop()

  // The second one finds it in the file
  const Greet = kind('greet', ({ name }) => `hello ${name}`)
  let runs = 0
  const Block = kind('block', ({ ms }) => {
    runs++
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    return 'done'
  })
  const second = startRunner({ store: sqliteStore(file), kinds: [Greet, Block], queues: { default: 1 }, ...times })
  const greeting = await second.result(left.id)

  // A thread keeps its lease while its event loop stands still
  const watcher = spawn(process.execPath, [__filename, 'watch', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(watcher.stdout, 'data')
    await sleep(1_000)
    const told = []
    for (const name of ['blocked', 'leaseLost']) second.events.on(name, () => told.push(name))
    const blocking = await second.enqueue(Block, { ms: 3 * leaseMs })
    const result = await blocking.result()
    while (told.length === 0) await sleep(10)
    const { crashes } = await second.find(blocking.id)
    console.log([sum, greeting, result, runs, crashes, told].join(', '))
  } finally {
    watcher.kill()
    await once(watcher, 'exit')
  }
  await second.stop()
}

if (process.argv[2] === 'watch') void watch(process.argv[3])
else {
  const folder = mkdtempSync(join(tmpdir(), 'packed-jobs-'))
  void main(join(folder, 'jobs.db')).finally(() => rmSync(folder, { recursive: true, force: true }))
}
